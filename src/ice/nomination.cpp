#include "ice/nomination.hpp"

#include <algorithm>

namespace strata::ice {

using namespace std::chrono_literals;

base::duration nomination_patience(std::optional<base::duration> rtt, bool relayed) noexcept {
  const base::duration repetition = relayed ? 600ms : 0ms;
  return repetition + std::clamp<base::duration>(rtt.value_or(100ms) * 4, 100ms, 1s);
}

nomination_decision decide_nomination(const check_list& checks, const valid_list& valid, const nomination_input& in) noexcept {
  if (valid.empty()) return {};
  const auto& best = valid.pairs().front();
  const auto might_win = [&](const candidate_pair& p) {
    const bool open = p.state != pair_state::succeeded && p.state != pair_state::failed;
    return open && p.priority > best.priority && p.id != best.checked;
  };
  const bool relayed = best.local.type == candidate_type::relayed || best.remote.type == candidate_type::relayed;
  const auto deadline = in.first_valid + nomination_patience(best.rtt, relayed);
  if (in.remote_is_lite || in.now >= deadline || std::ranges::none_of(checks.pairs(), might_win))
    return {.nominate = best.checked};
  return {.look_again = deadline};
}

}  // namespace strata::ice
