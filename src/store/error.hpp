// Why a store cannot be opened, or did not keep what it was given. The messages are for the operator; who opens a store puts
// the path before them.
#pragma once

#include "base/error.hpp"

namespace strata::store {

enum class errc {
  disk_full = 1,  // or the quota is used up; nothing of the commit is kept, and later ones may succeed
  read_only,      // the file, its folder or its file system may not be written
  directory,      // the folder is not there and cannot be made
  locked,         // another process has it open
  corrupt,        // not a database, or a damaged one
  foreign,        // a good database, but of another program
  newer,          // a later version of the program has written it
  older,          // opened for reading only, and not yet brought up to date
  no_table,       // not in the schema
  too_large,      // a name or value beyond what the engine can hold
  io,             // the disk fails; after a failed flush nothing more is taken until the store is opened again
};
std::error_code make_error_code(errc e) noexcept;

}  // namespace strata::store

template <>
struct std::is_error_code_enum<strata::store::errc> : std::true_type {};
