// What a program keeps, and how older files of it are brought up to date.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/change.hpp"

namespace strata::store {

// The records of a table as they are before the migration's step; none when there is no such table.
using reader = std::function<base::result<std::vector<record>>(std::string_view table)>;

// One step from a version to the next, as a rule: old records in, changes out. It may empty tables that are in the schema no
// longer and fill new ones. No step at all only raises the version, which keeps older programs away.
struct migration {
  std::function<base::result<changes>(const reader&)> step;
};

// The n-th migration leads from version n to n + 1, counted from 1: once released it is never changed, only followed. A store
// without migrations is of version 1; a new file is of the latest version from its beginning.
struct schema {
  std::vector<std::string> tables;  // [a-z][a-z0-9_]*, at most 64 octets
  std::vector<migration> migrations = {};

  [[nodiscard]] int version() const noexcept { return static_cast<int>(migrations.size()) + 1; }
};

[[nodiscard]] constexpr bool is_table_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 64 || name[0] < 'a' || name[0] > 'z' || name.starts_with("sqlite_")) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return true;
}

}  // namespace strata::store
