// The file of a store before an engine touches it: its folder, its rights, and whose it is.
#pragma once

#include <string>

#include "base/result.hpp"

namespace strata::store {

// Holds PATH.lock locked (flock) as long as it lives; the kernel lets go of it when the process dies, however that happens.
class state_file {
 public:
  // Makes the folder (0700) and the file (0600, empty) where they are missing. Both are then on the disk.
  static base::result<state_file> claim(const std::string& path);

  state_file(state_file&& other) noexcept;
  state_file& operator=(state_file&&) = delete;
  ~state_file();

 private:
  explicit state_file(int lock) noexcept : lock_(lock) {}
  int lock_;
};

}  // namespace strata::store
