// A store for little: all tables in one JSON file, which is written anew with every commit. For what changes when a person says
// so or a peer is met for the first time; not for messages and tasks.
#pragma once

#include <map>
#include <string>

#include "store/files.hpp"
#include "store/store.hpp"

namespace strata::store {

class one_file final : public engine {
 public:
  // Reads the file; one that is missing is an empty store. Errors are texts for the operator. Values must be UTF-8.
  static told<one_file> open(std::string path);

  [[nodiscard]] base::result<std::vector<record>> load(std::string_view table) override;
  [[nodiscard]] async::task<base::result<void>> commit(changes c) override;

 private:
  using tables = std::map<std::string, std::map<std::string, std::string>, std::less<>>;
  explicit one_file(std::string path) : path_(std::move(path)) {}

  std::string path_;
  tables tables_;
};

}  // namespace strata::store
