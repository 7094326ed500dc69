// A run again, recorded: the capture of all hosts with the keys in it, and the timeline beside it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "simulation/run.hpp"

namespace strata::simulation {

// Writes path (pcapng) and path.txt.
base::result<outcome> replay(const plan& p, const std::string& path);

}  // namespace strata::simulation
