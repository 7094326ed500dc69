// The arithmetic of time in ICE: pacing, retransmission, patience, consent.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace strata::ice {

using namespace std::chrono_literals;

// RFC 8445 §14.2: 50 ms unless signaled; never below 5 ms; the larger of both sides' values counts.
[[nodiscard]] constexpr base::duration agree_on_pacing(base::duration ours, std::optional<base::duration> theirs) noexcept {
  return std::max<base::duration>({ours, theirs.value_or(50ms), 5ms});
}

// RFC 8445 §14.3: a check waits longer when many checks share the line, and never less than 500 ms. The RFC's factor N
// counts check lists, of which there is one.
[[nodiscard]] constexpr base::duration check_rto(base::duration configured, base::duration pacing, std::size_t waiting,
                                                 std::size_t in_progress) noexcept {
  return std::max<base::duration>({configured, 500ms, pacing * static_cast<std::int64_t>(waiting + in_progress)});
}
[[nodiscard]] constexpr base::duration gather_rto(base::duration configured, base::duration pacing,
                                                  std::size_t transactions) noexcept {
  return std::max<base::duration>({configured, 500ms, pacing * static_cast<std::int64_t>(transactions)});
}

// RFC 7675 §5.1: every five seconds (never less than four), each time changed by up to 20 % so that many sessions do not
// fall into step. `random` is any 64 bits.
[[nodiscard]] constexpr base::duration consent_delay(base::duration interval, std::uint64_t random) noexcept {
  const auto base_interval = std::max<base::duration>(interval, 4s);
  const auto spread = static_cast<std::int64_t>(random % 401) - 200;  // per mille
  return std::max<base::duration>(base_interval + base_interval / 1000 * spread, 4s);
}
// Consent ends 30 s after the request was answered last, or earlier when configured so.
[[nodiscard]] constexpr base::instant consent_until(base::instant confirmed, base::duration lifetime) noexcept {
  return confirmed + std::min<base::duration>(lifetime, 30s);
}
// When we call a path interrupted: two requests have gone unanswered, so the answer to the last one is two intervals old.
[[nodiscard]] constexpr base::instant interrupted_at(base::instant confirmed, base::duration interval) noexcept {
  return confirmed + std::max<base::duration>(interval, 4s) * 11 / 4;
}

}  // namespace strata::ice
