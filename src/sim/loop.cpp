#include "sim/loop.hpp"

#include <algorithm>
#include <string>

namespace strata::sim {

loop::ending loop::advance(const std::function<bool()>& done, base::instant until) {
  for (;;) {
    run_ready();
    if (done()) return ending::done;
    const auto next = next_deadline();
    if (next == base::never) return ending::nothing_left;
    if (next > until) return ending::limit_reached;
    now_ = std::max(now_, next);
    fire_timers();
  }
}

void loop::drive(const std::function<bool()>& done, const std::function<void()>& cancel) {
  const auto how = advance(done, now_ + limit_);
  if (how == ending::done) return;
  const auto tree = task_tree();
  cancel();
  // What cannot even be cancelled is reported by the fiber itself, which aborts with this tree.
  advance(done, now_ + limit_);
  if (how == ending::nothing_left) throw deadlock("nothing is left that could wake:\n" + tree);
  throw overtime("the run has used up its virtual time:\n" + tree);
}

void loop::run_for(base::duration d) {
  const auto until = now_ + d;
  advance([] { return false; }, until);
  now_ = until;
  run_ready();
}

}  // namespace strata::sim
