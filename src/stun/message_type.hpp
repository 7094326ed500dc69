// The first sixteen bits of a STUN message: a 12-bit method with a 2-bit class threaded through it (RFC 8489 §5, figure 3).
//
//      0                 1
//      2  3  4 5 6 7 8 9 0 1 2 3 4 5
//     +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//     |M |M |M|M|M|C|M|M|M|C|M|M|M|M|
//     |11|10|9|8|7|1|6|5|4|0|3|2|1|0|
//     +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//
// The two bits before these are zero: they tell STUN from other protocols on the same port.
#pragma once

#include <cstdint>

namespace strata::stun {

enum class message_class : std::uint8_t { request = 0b00, indication = 0b01, success = 0b10, error = 0b11 };

// RFC 8489 §18.2, RFC 8656 §17. Other 12-bit values are visible as numbers.
enum class method : std::uint16_t {
  binding = 0x001,
  allocate = 0x003,
  refresh = 0x004,
  send = 0x006,
  data = 0x007,
  create_permission = 0x008,
  channel_bind = 0x009,
  connect = 0x00a,             // RFC 6062
  connection_bind = 0x00b,     // RFC 6062
  connection_attempt = 0x00c,  // RFC 6062
};

inline constexpr std::uint16_t largest_method = 0xfff;

struct message_type {
  message_class class_ = message_class::request;
  stun::method method = stun::method::binding;

  [[nodiscard]] constexpr std::uint16_t encode() const noexcept {
    const auto m = static_cast<unsigned>(method);
    const auto c = static_cast<unsigned>(class_);
    return static_cast<std::uint16_t>((m & 0xf80) << 2 | (m & 0x070) << 1 | (m & 0x00f) | (c & 2) << 7 | (c & 1) << 4);
  }
  // The two top bits of `wire` are not looked at.
  [[nodiscard]] static constexpr message_type decode(std::uint16_t wire) noexcept {
    return {static_cast<message_class>((wire >> 7 & 2) | (wire >> 4 & 1)),
            static_cast<stun::method>((wire >> 2 & 0xf80) | (wire >> 1 & 0x070) | (wire & 0x00f))};
  }
  friend constexpr bool operator==(const message_type&, const message_type&) = default;
};

static_assert(message_type{message_class::request, method::binding}.encode() == 0x0001);
static_assert(message_type{message_class::indication, method::binding}.encode() == 0x0011);
static_assert(message_type{message_class::success, method::binding}.encode() == 0x0101);
static_assert(message_type{message_class::error, method::binding}.encode() == 0x0111);

}  // namespace strata::stun
