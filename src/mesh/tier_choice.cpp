#include "mesh/tier_choice.hpp"

#include <algorithm>

namespace strata::mesh {

std::string_view to_string(tier t) noexcept {
  switch (t) {
    case tier::none: return "none";
    case tier::direct: return "direct";
    case tier::relayed: return "relayed";
    case tier::tasks: return "tasks";
  }
  return "none";
}

// When what is unanswered has been so for too long. Another proof of the path counts as well: a peer may be slow to answer.
base::instant tier_choice::given_up_at(const tier_facts& f) const noexcept {
  if (!f.unanswered_since) return base::never;
  const bool doubted = f.letter && *f.letter > std::max(f.heard, f.opened);
  const auto patience = std::max(doubted ? terms_.doubt : terms_.patience, 2 * f.round_trip.value_or(base::duration::zero()));
  return std::max({*f.unanswered_since, f.heard, f.opened}) + patience;
}

base::duration tier_choice::wait() const noexcept {
  if (left_soon_ == 0) return base::duration::zero();
  auto w = terms_.first_wait;
  for (unsigned n = 1; n < left_soon_ && w < terms_.longest_wait; ++n) w *= 2;
  return std::min(w, terms_.longest_wait);
}

void tier_choice::leave(base::instant now) noexcept {
  const bool soon = climbed_ && now - *climbed_ < terms_.soon;
  left_soon_ = soon ? left_soon_ + 1 : 0;
  left_ = true;
  trusted_from_ = probe_at_ = now + wait();
}

tier_decision tier_choice::take(tier t, const tier_facts& f, base::instant now) noexcept {
  tier_decision d;
  d.use = t;
  d.go_again = over_link(t) ? !over_link(use_) || connection_ != f.connection : t != use_;
  if (over_link(t)) {
    if (d.go_again) climbed_ = now;
    connection_ = f.connection;
    left_ = false;
  }
  use_ = t;
  return d;
}

tier_decision tier_choice::decide(const tier_facts& f, base::instant now) noexcept {
  const bool tasks = f.registry && f.frames;
  if (f.connection == 0) {
    if (over_link(use_)) leave(now);
    return take(tasks ? tier::tasks : tier::none, f, now);
  }
  const auto channel = f.relayed ? tier::relayed : tier::direct;
  if (!tasks) return take(channel, f, now);

  if (over_link(use_) && f.connection == connection_) {
    const auto end = given_up_at(f);
    if (now < end) {
      auto d = take(channel, f, now);
      d.look_again = end;
      return d;
    }
    leave(now);
  }
  if (!left_ || std::max(f.heard, f.opened) > trusted_from_) return take(channel, f, now);
  auto d = take(tier::tasks, f, now);
  d.probe = now >= probe_at_;
  if (d.probe) probe_at_ = now + terms_.probe_every;
  d.look_again = probe_at_;
  return d;
}

}  // namespace strata::mesh
