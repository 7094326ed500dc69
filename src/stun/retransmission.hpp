// When a request is sent, sent again, and given up (RFC 8489 §6.2.1, §6.2.2). Arithmetic only.
//
// With the defaults a request over UDP leaves at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms and has failed at 39500 ms.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace strata::stun {

struct retransmission {
  base::duration rto = std::chrono::milliseconds(500);  // from the first to the second transmission; then it doubles
  unsigned rc = 7;                                      // transmissions in all
  base::duration last_wait = 16 * rto;                  // from the last transmission to failure: Rm times RTO
  bool reliable = false;                                // over TCP: sent once, and a forged answer ends the transaction

  [[nodiscard]] static constexpr retransmission over_udp(base::duration rto = std::chrono::milliseconds(500), unsigned rc = 7,
                                                         unsigned rm = 16) noexcept {
    return {rto, rc, rto * rm, false};
  }
  // RFC 8489 §6.2.2: Ti is as long as UDP would take.
  [[nodiscard]] static constexpr retransmission over_tcp(base::duration ti = std::chrono::milliseconds(39500)) noexcept {
    return {base::duration::zero(), 1, ti, true};
  }

  // After the start, for n = 0 … rc - 1. Doubling stops at 2^20, which no schedule in use comes near.
  [[nodiscard]] constexpr base::duration send_at(unsigned n) const noexcept { return rto * ((1ll << std::min(n, 20u)) - 1); }
  [[nodiscard]] constexpr base::duration fails_at() const noexcept { return send_at(rc == 0 ? 0 : rc - 1) + last_wait; }
};

static_assert(retransmission::over_udp().send_at(6) == std::chrono::milliseconds(31500));
static_assert(retransmission::over_udp().fails_at() == std::chrono::milliseconds(39500));

}  // namespace strata::stun
