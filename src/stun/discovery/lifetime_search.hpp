// How long a mapping lives without traffic, RFC 5780 §4.6: the search, without the waiting. Every trial needs a mapping of its
// own, so trials of different lengths run beside each other, and a round takes as long as its longest.
#pragma once

#include <vector>

#include "base/time.hpp"
#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

class lifetime_search {
 public:
  // `limit`: the longest silence worth trying.
  explicit lifetime_search(base::duration limit) noexcept : limit_(limit) {}

  // The silences to try next, in order; empty when what is known is good enough.
  [[nodiscard]] std::vector<base::duration> next_round() const;
  void learn(base::duration silence, bool alive) noexcept;
  [[nodiscard]] nat_report::lifetime_range range() const noexcept { return {alive_, dead_}; }

 private:
  base::duration limit_;
  base::duration alive_{}, dead_{};  // the longest that a mapping outlived, the shortest that one did not; zero: none
};

}  // namespace strata::stun
