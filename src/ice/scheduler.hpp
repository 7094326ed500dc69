// Which pair is checked next (RFC 8445 §6.1.4.2). Called once every Ta.
#pragma once

#include <optional>

#include "ice/check_list.hpp"

namespace strata::ice {

struct scheduled_check {
  pair_id pair;
  bool triggered = false;
  bool nominate = false;
};

// The first of the triggered-check queue; else the best Waiting pair; else the best Frozen pair whose foundation has
// neither a Waiting nor a promising In-Progress pair, which this call unfreezes. Nothing: there is nothing to do now.
[[nodiscard]] std::optional<scheduled_check> next_check(check_list& list);
// Whether it would find something.
[[nodiscard]] bool has_next_check(const check_list& list);

}  // namespace strata::ice
