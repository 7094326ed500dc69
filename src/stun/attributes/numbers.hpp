// The building bricks of attributes that are one number or nothing at all.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_writer.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"
#include "stun/wire.hpp"

namespace strata::stun::detail {

inline base::result<void> expect_length(const attribute& a, std::size_t size, std::string_view text) {
  if (a.value.size() == size) return {};
  return base::fail(errc::bad_attribute_length, a.offset + 2, text);
}

template <attribute_type Type>
struct number32 {
  static constexpr attribute_type type = Type;
  std::uint32_t value = 0;
  static base::result<number32> decode(const attribute& a, const transaction_id&) {
    return expect_length(a, 4, "4").map([&] { return number32{wire::u32(a.value, 0)}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { out.u32(value); }
  friend bool operator==(const number32&, const number32&) = default;
};

template <attribute_type Type>
struct number64 {
  static constexpr attribute_type type = Type;
  std::uint64_t value = 0;
  static base::result<number64> decode(const attribute& a, const transaction_id&) {
    return expect_length(a, 8, "8").map([&] { return number64{wire::u64(a.value, 0)}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { out.u64(value); }
  friend bool operator==(const number64&, const number64&) = default;
};

// Sixteen bits that mean something and sixteen reserved ones: zero when sent, ignored when received.
template <attribute_type Type>
struct number16 {
  static constexpr attribute_type type = Type;
  std::uint16_t value = 0;
  static base::result<number16> decode(const attribute& a, const transaction_id&) {
    return expect_length(a, 4, "4").map([&] { return number16{wire::u16(a.value, 0)}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const {
    out.u16(value);
    out.u16(0);
  }
  friend bool operator==(const number16&, const number16&) = default;
};

// Its presence is all it says.
template <attribute_type Type>
struct flag {
  static constexpr attribute_type type = Type;
  static base::result<flag> decode(const attribute& a, const transaction_id&) {
    return expect_length(a, 0, "0").map([] { return flag{}; });
  }
  void encode(base::byte_writer&, const transaction_id&) const {}
  friend bool operator==(const flag&, const flag&) = default;
};

}  // namespace strata::stun::detail
