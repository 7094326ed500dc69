// Small files that a daemon keeps: secrets, keys, the ports it has. Errors are texts for the operator; empty is none.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace strata::store {

template <class T>
using told = tl::expected<T, std::string>;

told<std::string> read_file(const std::string& path);  // at most 64 MiB
// Written beside and renamed, so that a crash leaves the old file or the new one.
std::string write_file(const std::string& path, std::string_view text, unsigned mode);
// With those above it that are missing. One that is made is the owner's alone (0700); one that is there stays as it is.
std::string make_private_directory(const std::string& path);

}  // namespace strata::store
