// A store in memory for the tests: what a registry that was killed finds again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/change.hpp"

class saved {
 public:
  void commit(const strata::store::changes& all) {
    for (const auto& c : all) {
      if (c.value) tables_[c.table][c.name] = *c.value;
      else tables_[c.table].erase(c.name);
    }
  }
  [[nodiscard]] std::vector<strata::store::record> table(std::string_view name) const {
    std::vector<strata::store::record> all;
    if (const auto t = tables_.find(name); t != tables_.end())
      for (const auto& [record, value] : t->second) all.push_back({record, value});
    return all;
  }
  // Does this text stand anywhere in it?
  [[nodiscard]] bool holds(std::string_view text) const {
    for (const auto& [unused, t] : tables_)
      for (const auto& [name, value] : t)
        if (name.find(text) != name.npos || value.find(text) != value.npos) return true;
    return false;
  }

 private:
  std::map<std::string, std::map<std::string, std::string>, std::less<>> tables_;
};
