// A check that was seen before, from somewhere else: whoever overheard it sends it again, and would have us check an address
// that never asked for it. A rule.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/endpoint.hpp"
#include "stun/transaction_id.hpp"

namespace strata::ice {

// Of the checks that carried the right password, the latest. A peer sends each transaction from one address only; if its NAT
// moves it between two transmissions, its next check has another transaction.
class recent_checks {
 public:
  [[nodiscard]] bool is_replay(const stun::transaction_id& id, const base::endpoint& from) {
    const auto seen = std::ranges::find(checks_, id, &entry::id);
    if (seen != checks_.end() && seen->used) return seen->from != from;
    checks_[next_++ % checks_.size()] = {id, from, true};
    return false;
  }

 private:
  struct entry {
    stun::transaction_id id{};
    base::endpoint from{};
    bool used = false;
  };
  std::array<entry, 512> checks_{};
  std::size_t next_ = 0;
};

}  // namespace strata::ice
