#include "stun/rto_cache.hpp"

#include <algorithm>

namespace strata::stun {

base::duration rto_cache::rto(const base::ip_address& server, base::instant now) {
  forget(now);
  const auto found = entries_.find(server);
  if (found == entries_.end()) return initial_;
  found->second.last_used = now;
  // RFC 6298 (2.3) with a clock of 1 ms; RFC 8489 §6.2.1 does not round up to a second.
  return found->second.smoothed + std::max<base::duration>(std::chrono::milliseconds(1), 4 * found->second.variation);
}

void rto_cache::sample(const base::ip_address& server, base::duration round_trip, base::instant now) {
  forget(now);
  auto found = entries_.find(server);
  if (found == entries_.end()) {
    if (capacity_ == 0) return;
    if (entries_.size() >= capacity_) {
      entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.last_used; }));
    }
    entries_.emplace(server, entry{round_trip, round_trip / 2, now});
    return;
  }
  auto& e = found->second;
  const auto error = e.smoothed > round_trip ? e.smoothed - round_trip : round_trip - e.smoothed;
  e.variation = (3 * e.variation + error) / 4;
  e.smoothed = (7 * e.smoothed + round_trip) / 8;
  e.last_used = now;
}

void rto_cache::forget(base::instant now) {
  std::erase_if(entries_, [&](const auto& e) { return now - e.second.last_used > lifetime; });
}

}  // namespace strata::stun
