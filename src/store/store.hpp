// Where a daemon keeps what it has acknowledged. Narrow on purpose: records by name in a few tables, changed in groups that
// happen whole or not at all. All thinking is done in memory by rules (tasks, pairings, keys, what waits for a peer), which are
// loaded at the start and hand out the changes of every step; so an engine needs to know nothing of them, and a networked one
// fits in.
#pragma once

#include <string_view>
#include <vector>

#include "async/async.hpp"
#include "base/result.hpp"
#include "store/change.hpp"

namespace strata::store {

class engine {
 public:
  virtual ~engine() = default;

  // All records of a table, ordered by name. For the start only: it blocks.
  [[nodiscard]] virtual base::result<std::vector<record>> load(std::string_view table) = 0;
  // All of them or none; they are durable when this returns. Commits take effect in the order in which they were begun.
  // An error means that nothing of it is kept, and says why (disk full, read-only, corrupt).
  [[nodiscard]] virtual async::task<base::result<void>> commit(changes c) = 0;
};

}  // namespace strata::store
