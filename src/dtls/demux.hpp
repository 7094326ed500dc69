// RFC 7983 §7: several protocols share one UDP port, and the first byte of a datagram tells which one it is.
//
//                 +----------------+
//                 |        [0..3] -+--> STUN
//                 |                |
//                 |      [16..19] -+--> ZRTP          (not spoken here)
//     datagram -->|                |
//                 |      [20..63] -+--> DTLS
//                 |                |
//                 |      [64..79] -+--> TURN channel
//                 |                |
//                 |    [128..191] -+--> RTP/RTCP      (not spoken here)
//                 +----------------+
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace strata::dtls {

enum class packet_kind : std::uint8_t { stun, dtls, turn_channel, other };

[[nodiscard]] constexpr packet_kind classify(std::uint8_t first) noexcept {
  if (first <= 3) return packet_kind::stun;
  if (first >= 20 && first <= 63) return packet_kind::dtls;
  if (first >= 64 && first <= 79) return packet_kind::turn_channel;
  return packet_kind::other;  // RFC 7983 §7: dropped by whoever asked
}

// An empty datagram is `other`.
[[nodiscard]] constexpr packet_kind classify(base::byte_view datagram) noexcept {
  return datagram.empty() ? packet_kind::other : classify(datagram[0]);
}

}  // namespace strata::dtls
