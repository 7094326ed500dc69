// Where the registry keeps what it has acknowledged. Narrow on purpose: records by name in a few tables, changed in groups that
// happen whole or not at all. All thinking is done in memory by rules (tasks, pairings, keys ...), which are loaded at the
// start and hand out the changes of every step; so an engine needs to know nothing of them, and a networked one fits in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "base/error.hpp"

namespace strata::registry {

enum class table : std::uint8_t {
  keys,         // API keys, by the SHA-256 of the key
  devices,      // device tokens, by the SHA-256 of the token
  pairings,     // codes and onboarding entries, by id
  revocations,  // token ids and peers that are let in no more
  agents,       // agent ids and aliases bound to a credential
  tasks,        // tier 3
  audit,        // the chained log, by its number in twenty digits
};

struct record {
  std::string name;   // the key within its table
  std::string value;  // JSON
};

struct change {
  table where;
  std::string name;
  std::optional<std::string> value;  // nothing: the record goes
};
using changes = std::vector<change>;

class store {
 public:
  virtual ~store() = default;

  // All records of a table, ordered by name. For the start only.
  [[nodiscard]] virtual base::result<std::vector<record>> load(table t) = 0;
  // All of them or none; they are durable when this returns. Commits take effect in the order in which they were begun.
  // An error means that nothing of it is kept, and says why (disk full, read-only, corrupt).
  [[nodiscard]] virtual async::task<base::result<void>> commit(changes c) = 0;
};

}  // namespace strata::registry
