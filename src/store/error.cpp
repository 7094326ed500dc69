#include "store/error.hpp"

namespace strata::store {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "store"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::disk_full: return "the disk is full, or the quota of the store is used up";
      case errc::read_only: return "the store may not be written: see the rights of the file and its folder";
      case errc::directory: return "the folder of the store is not there and cannot be made";
      case errc::locked: return "another process has the store open";
      case errc::corrupt: return "the store is damaged, or not a store: restore a copy, or move it away to begin anew";
      case errc::foreign: return "the file is a database of another program";
      case errc::newer: return "a later version of this program has written the store";
      case errc::older: return "the store is of an earlier version; the daemon brings it up to date when it starts";
      case errc::no_table: return "the store has no such table";
      case errc::too_large: return "a record is too large for the store";
      case errc::io: return "the disk failed";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

}  // namespace strata::store
