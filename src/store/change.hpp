// What a store holds and how it is changed, for the rules that think about it: they are given records at the start and hand out
// the changes of every step, and know nothing of an engine.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace strata::store {

struct record {
  std::string name;   // the key within its table
  std::string value;  // JSON, or any bytes
};

struct change {
  std::string table;
  std::string name;
  std::optional<std::string> value;  // nothing: the record goes
};
using changes = std::vector<change>;

}  // namespace strata::store
