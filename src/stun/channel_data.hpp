// ChannelData, the other thing on a TURN wire (RFC 8656 §12.4).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |  Channel Number 0x4000–0x4FFF |            Length             |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                       Application Data                     ....   over TCP and TLS padded to 32 bits,
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   which the length does not count
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "stun/error.hpp"

namespace strata::stun {

inline constexpr std::uint16_t first_channel = 0x4000, last_channel = 0x4fff;
inline constexpr std::size_t channel_header_size = 4;

// RFC 8656 §12: the first byte, 64 to 79, tells it from STUN.
[[nodiscard]] inline bool is_channel_data(base::byte_view d) noexcept { return !d.empty() && d[0] >= 64 && d[0] <= 79; }

struct channel_data {
  std::uint16_t channel = first_channel;
  base::byte_view data;  // borrowed

  // A datagram. Over UDP padding is allowed and nothing else may follow; a datagram shorter than its length is dropped
  // (RFC 8656 §12.6). errc: too_short, bad_value (channel number), length_mismatch.
  [[nodiscard]] static base::result<channel_data> parse(base::byte_view datagram);
};

// Appends it. False, and nothing appended: no such channel number, or more than 65535 bytes.
bool write_channel_data(base::bytes& out, std::uint16_t channel, base::byte_view data, bool over_stream = false);

}  // namespace strata::stun
