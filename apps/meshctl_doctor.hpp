// meshctl doctor: what may keep a meshd from doing its work, each point with what to do about it.
#pragma once

#include <string>

#include "async/async.hpp"
#include "net/host.hpp"

namespace strata::apps {

// Prints a line for each point. 0: nothing is wrong; 1: something is; 3: no meshd answers at the socket.
async::task<int> examine(net::host& h, std::string ipc_path, bool as_json);

}  // namespace strata::apps
