#include "sim/impairments.hpp"

#include <algorithm>

namespace strata::sim {

namespace {
// RFC 6298 §2.4 puts the floor at one second; the stacks in the field use 200 ms.
constexpr base::duration least_retransmission = 200ms;

base::duration scaled(base::duration d, double factor) {
  return base::duration(static_cast<base::duration::rep>(static_cast<double>(d.count()) * factor));
}
}  // namespace

std::optional<base::instant> link_direction::cross(base::instant now, std::size_t size, bool may_drop) noexcept {
  auto departure = now;
  if (impairments_.bits_per_second != 0) {
    const double seconds_per_byte = 8.0 / static_cast<double>(impairments_.bits_per_second);
    const auto backlog = std::max(base::duration::zero(), line_free_ - now);
    const auto most = scaled(1s, seconds_per_byte * static_cast<double>(impairments_.queue_bytes));
    if (may_drop && backlog > most) return std::nullopt;
    departure = now + backlog + scaled(1s, seconds_per_byte * static_cast<double>(size));
    line_free_ = departure;
  }
  const auto arrival = departure + impairments_.latency + scaled(impairments_.jitter, generator_.unit());
  return last_arrival_ = std::max(arrival, last_arrival_);
}

bool link_direction::loses_next() noexcept {
  const bool alone = generator_.chance(impairments_.loss);
  const bool in_burst = impairments_.bursts && burst_.loses_next(*impairments_.bursts, generator_);
  return alone || in_burst;
}

fate link_direction::carry_datagram(base::instant now, std::size_t size) noexcept {
  // Every draw happens for every packet, so that one probability does not move the others' dice.
  const bool lost = loses_next();
  const bool doubled = generator_.chance(impairments_.duplicate);
  const bool late = generator_.chance(impairments_.reorder);
  fate f;
  const auto arrival = cross(now, size, true);
  if (!arrival) {
    f.dropped = "queue full";
    return f;
  }
  if (lost) {
    f.dropped = "lost";
    return f;
  }
  f.at[f.copies++] = late ? *arrival + impairments_.reorder_by : *arrival;
  if (doubled) f.at[f.copies++] = *arrival;
  return f;
}

base::instant link_direction::carry_segment(base::instant now, std::size_t size) noexcept {
  const bool lost = loses_next();
  const auto arrival = *cross(now, size, false);
  return lost ? arrival + std::max(least_retransmission, 3 * impairments_.latency) : arrival;
}

}  // namespace strata::sim
