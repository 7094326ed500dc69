#include "ice/scheduler.hpp"

#include <algorithm>

namespace strata::ice {
namespace {

const candidate_pair* best(const check_list& list, pair_state s) {
  const auto at = std::ranges::find(list.pairs(), s, &candidate_pair::state);
  return at == list.pairs().end() ? nullptr : &*at;
}

// Without a Waiting pair anywhere, a foundation is busy only when a pair of it is In-Progress. And not for the 39 s that a
// dead one stays in progress: some peers give one foundation to everything they have, the dead and the living.
const candidate_pair* best_frozen(const check_list& list) {
  for (const auto& p : list.pairs()) {
    if (p.state != pair_state::frozen) continue;
    const auto busy = [&](const candidate_pair& other) {
      return other.state == pair_state::in_progress && !other.doubtful && other.foundation() == p.foundation();
    };
    if (std::ranges::none_of(list.pairs(), busy)) return &p;
  }
  return nullptr;
}

}  // namespace

std::optional<scheduled_check> next_check(check_list& list) {
  while (const auto t = list.pop_triggered()) {
    // A late answer to an earlier check has shown it meanwhile: only a nomination is worth asking for again.
    if (t->nominate || list.find(t->pair)->state != pair_state::succeeded) return scheduled_check{t->pair, true, t->nominate};
  }
  if (const auto* waiting = best(list, pair_state::waiting)) return scheduled_check{waiting->id};
  if (const auto* frozen = best_frozen(list)) {
    auto& p = *list.find(frozen->id);
    list.set_state(p, pair_state::waiting);
    return scheduled_check{p.id};
  }
  return std::nullopt;
}

bool has_next_check(const check_list& list) {
  return list.triggered() != 0 || best(list, pair_state::waiting) != nullptr || best_frozen(list) != nullptr;
}

}  // namespace strata::ice
