// What a server says when it says no.
//
//  ERROR-CODE (RFC 8489 §14.8); ADDRESS-ERROR-CODE (RFC 8656 §18.12) has the address family in the first byte
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |           Reserved, should be 0         |Class|     Number    |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |      Reason Phrase (variable)                                ..
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//  UNKNOWN-ATTRIBUTES (RFC 8489 §14.13): 16-bit attribute types, one after the other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_writer.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

struct error_code {
  static constexpr attribute_type type = attribute_type::error_code;
  int code = 400;           // 300–699
  std::string_view reason;  // borrowed; for people, never to be acted on

  static base::result<error_code> decode(const attribute& a, const transaction_id&);
  [[nodiscard]] bool sendable() const noexcept;  // RFC 8489 §14.8: the reason has fewer than 128 characters
  void encode(base::byte_writer& out, const transaction_id&) const;
  friend bool operator==(const error_code&, const error_code&) = default;
};

struct address_error_code {
  static constexpr attribute_type type = attribute_type::address_error_code;
  base::ip_family family = base::ip_family::v4;
  int code = 440;
  std::string_view reason;

  static base::result<address_error_code> decode(const attribute& a, const transaction_id&);
  [[nodiscard]] bool sendable() const noexcept;
  void encode(base::byte_writer& out, const transaction_id&) const;
  friend bool operator==(const address_error_code&, const address_error_code&) = default;
};

// Borrows the list: the value of a received attribute. at(i) reads one of size() types.
struct unknown_attributes {
  static constexpr attribute_type type = attribute_type::unknown_attributes;
  base::byte_view wire_form;

  [[nodiscard]] std::size_t size() const noexcept { return wire_form.size() / 2; }
  [[nodiscard]] attribute_type at(std::size_t i) const noexcept {
    return static_cast<attribute_type>(wire_form[2 * i] << 8 | wire_form[2 * i + 1]);
  }
  static base::result<unknown_attributes> decode(const attribute& a, const transaction_id&);
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(wire_form); }
};

// The same for those who make one.
struct unknown_attribute_list {
  static constexpr attribute_type type = attribute_type::unknown_attributes;
  std::vector<attribute_type> types;
  void encode(base::byte_writer& out, const transaction_id&) const {
    for (const auto t : types) out.u16(static_cast<std::uint16_t>(t));
  }
};

}  // namespace strata::stun
