#include "store/one_file.hpp"

#include <filesystem>

#include "base/json.hpp"

namespace strata::store {

told<one_file> one_file::open(std::string path) {
  one_file f(std::move(path));
  std::error_code trouble;
  if (!std::filesystem::exists(f.path_, trouble) && !trouble) return f;
  const auto text = read_file(f.path_);
  if (!text) return tl::unexpected(text.error());
  const auto v = base::json::parse(*text);
  if (!v || v->as_object() == nullptr) return tl::unexpected(f.path_ + ": not the JSON object that a meshd writes");
  for (const auto& [table, records] : *v->as_object()) {
    if (records.as_object() == nullptr) return tl::unexpected(f.path_ + ": the table '" + table + "' is not an object");
    for (const auto& [name, value] : *records.as_object()) {
      if (value.as_string() == nullptr) return tl::unexpected(f.path_ + ": " + table + "." + name + " is not a text");
      f.tables_[table][name] = *value.as_string();
    }
  }
  return f;
}

base::result<std::vector<record>> one_file::load(std::string_view table) {
  std::vector<record> all;
  if (const auto at = tables_.find(table); at != tables_.end())
    for (const auto& [name, value] : at->second) all.push_back({name, value});
  return all;
}

async::task<base::result<void>> one_file::commit(changes c) {
  auto next = tables_;
  for (auto& change : c) {
    if (change.value) next[change.table][change.name] = std::move(*change.value);
    else next[change.table].erase(change.name);
  }
  base::json::object all;
  for (const auto& [table, records] : next) {
    base::json::object members;
    for (const auto& [name, value] : records) members.emplace_back(name, value);
    all.emplace_back(table, std::move(members));
  }
  if (!write_file(path_, base::json(std::move(all)).dump() + "\n", 0600).empty())
    co_return base::fail(base::errc::permission, base::error::nowhere, "a file that can be written");
  tables_ = std::move(next);
  co_return base::result<void>();
}

}  // namespace strata::store
