// When an unanswered flight is sent again.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.hpp"

namespace strata::dtls {

// RFC 6347 §4.2.4.1 starts at one second for want of knowledge and lets a lower layer that knows better say so. ICE has
// measured the round trip on the same pair: twice that covers its jitter, and the floor covers the time that the peer
// needs for its signatures and key agreement (tens of milliseconds on a slow machine). A retransmission that comes too
// early costs a few hundred bytes; a second of waiting for a lost datagram is what a user notices.
inline constexpr base::duration shortest_initial_timeout = std::chrono::milliseconds(100);
inline constexpr base::duration default_initial_timeout = std::chrono::seconds(1);

[[nodiscard]] inline base::duration initial_timeout(std::optional<base::duration> round_trip) {
  if (!round_trip) return default_initial_timeout;
  return std::clamp(2 * *round_trip, shortest_initial_timeout, default_initial_timeout);
}

}  // namespace strata::dtls
