// A recorded run as a ladder of phases: what happened on each connection, when, how long each phase took.
#pragma once

#include <string>

#include "trace/pcapng.hpp"

namespace strata::trace {

// One line an event; packets between events are summed up by kind and direction.
std::string timeline(const pcapng::contents& c);

}  // namespace strata::trace
