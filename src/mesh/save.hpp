// What a step of outbox or inbox asks the store to hold. Numbers grow; the caller names one when its commit is done.
#pragma once

#include <cstdint>

#include "store/change.hpp"

namespace strata::mesh {

struct save {
  std::uint64_t number = 0;
  store::changes keep;  // may be empty
};

}  // namespace strata::mesh
