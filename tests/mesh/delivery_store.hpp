// A store as a rule sees it: what was committed is there again after a SIGKILL.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/change.hpp"

namespace delivery {

class memory_store {
 public:
  void commit(const strata::store::changes& keep) {
    for (const auto& c : keep) {
      if (c.value) tables_[c.table][c.name] = *c.value;
      else tables_[c.table].erase(c.name);
    }
  }
  [[nodiscard]] std::vector<strata::store::record> records(std::string_view table) const {
    std::vector<strata::store::record> out;
    if (const auto t = tables_.find(std::string(table)); t != tables_.end())
      for (const auto& [name, value] : t->second) out.push_back({name, value});
    return out;
  }

 private:
  std::map<std::string, std::map<std::string, std::string>> tables_;
};

}  // namespace delivery
