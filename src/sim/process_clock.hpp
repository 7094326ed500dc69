// The clock and the source of chance that C libraries take from the process follow a simulated loop and a seed. Whoever
// links sim_process_dep and calls follow() before the first use of such a library gets runs that are the same every time.
#pragma once

#include <cstdint>

#include "async/loop.hpp"

namespace strata::sim {

// Null: time stands still. The loop must live until the next call.
void follow(const async::loop* l, std::uint64_t seed = 1);

}  // namespace strata::sim
