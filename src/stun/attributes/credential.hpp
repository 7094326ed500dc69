// Attributes of the credential mechanisms that are no text: USERHASH (RFC 8489 §14.4) is SHA-256(username ":" realm), 32 bytes.
//
//  PASSWORD-ALGORITHM (§14.12) is one of these, PASSWORD-ALGORITHMS (§14.11) a list of them in the sender's order
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |          Algorithm            |  Algorithm Parameters Length  |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                    Algorithm Parameters (variable)            |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/byte_writer.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

enum class algorithm : std::uint16_t { md5 = 1, sha256 = 2 };  // RFC 8489 §18.5

struct userhash {
  static constexpr attribute_type type = attribute_type::userhash;
  std::array<std::uint8_t, 32> hash{};

  static base::result<userhash> decode(const attribute& a, const transaction_id&);
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(hash); }
  friend bool operator==(const userhash&, const userhash&) = default;
};

struct password_algorithm {
  static constexpr attribute_type type = attribute_type::password_algorithm;
  stun::algorithm algorithm = stun::algorithm::md5;  // may be a number without a name here
  base::byte_view parameters{};                      // borrowed; MD5 and SHA-256 have none

  static base::result<password_algorithm> decode(const attribute& a, const transaction_id&);
  void encode(base::byte_writer& out, const transaction_id&) const;
};

// The list in its wire form, borrowed and already checked: RFC 8489 §9.2.5 wants it echoed byte by byte.
struct password_algorithms {
  static constexpr attribute_type type = attribute_type::password_algorithms;
  base::byte_view wire_form;

  static base::result<password_algorithms> decode(const attribute& a, const transaction_id&);
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(wire_form); }

  // Calls f(password_algorithm) in order until it returns true; says whether it did.
  template <class F>
  bool any(F f) const {
    base::byte_view rest = wire_form;
    while (const auto one = take(rest)) {
      if (f(*one)) return true;
    }
    return false;
  }

 private:
  static std::optional<password_algorithm> take(base::byte_view& rest) noexcept;
};

}  // namespace strata::stun
