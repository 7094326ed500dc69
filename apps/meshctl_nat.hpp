// meshctl nat: what is between this machine and the Internet, and what to expect of connections.
#pragma once

#include <cstdint>
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

struct port_mapping_options {
  std::uint16_t port = 0;
  std::string protocol;  // "pcp", "nat-pmp", "upnp"; empty: whichever answers first
  int seconds = 0;       // to keep it
};

// Prints the outside address, keeps the mapping as long as asked, and gives it back.
[[nodiscard]] async::task<int> map_port(net::host& h, port_mapping_options o);

}  // namespace strata::apps
