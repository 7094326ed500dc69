// meshctl turn: tries a TURN server out and says what it found.
#pragma once

#include <string>

#include "async/task.hpp"
#include "net/host.hpp"

namespace strata::apps {

struct turn_options {
  std::string uri, username, password, trust_file;
  bool ipv6 = false, both = false, as_json = false;
};

// 0: relays; 1: does not; 2: cannot be asked.
[[nodiscard]] async::task<int> show_turn(net::host& h, turn_options o);

}  // namespace strata::apps
