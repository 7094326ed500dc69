// When the controlling side nominates, and what (RFC 8445 §8.1.1). The RFC leaves the criteria open; these are ours:
// the best valid pair, as soon as nothing better can still succeed, or after some patience with what might. Data flows
// on the best valid pair meanwhile, so patience costs nothing but a later end of the checks.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "ice/check_list.hpp"
#include "ice/valid_list.hpp"

namespace strata::ice {

struct nomination_input {
  base::instant now;
  base::instant first_valid;    // when the valid list got its first pair
  bool remote_is_lite = false;  // it cannot send before it is told what to use: no patience
};

struct nomination_decision {
  std::optional<pair_id> nominate = {};  // repeat this pair's check with USE-CANDIDATE
  base::instant look_again = base::never;
};

// Four round trips on the path that works, within limits: whoever is better and alive has answered by then. A relay waits for
// one repetition more: through a NAT that lets only those in who were written to, a direct check passes at its second attempt.
[[nodiscard]] base::duration nomination_patience(std::optional<base::duration> rtt, bool relayed = false) noexcept;

// Only for the controlling side, while nothing is nominated and no nominating check is under way.
[[nodiscard]] nomination_decision decide_nomination(const check_list& checks, const valid_list& valid,
                                                    const nomination_input& in) noexcept;

}  // namespace strata::ice
