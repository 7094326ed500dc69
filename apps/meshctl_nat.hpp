// meshctl nat: what is between this machine and the Internet, and what to expect of connections.
#pragma once

#include <string>
#include <vector>

#include "async/task.hpp"
#include "net/host.hpp"

namespace strata::apps {

struct nat_options {
  std::vector<std::string> servers;  // host[:port]; the registry's when there are none
  std::string registry;              // http(s)://host[:port]
  bool lifetime = false, as_json = false, as_line = false;
};

// 0, or 1 when nothing could be found out.
[[nodiscard]] async::task<int> show_nat(net::host& h, nat_options o);

}  // namespace strata::apps
