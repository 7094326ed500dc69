// The default gateways of this machine.
#include <net/if.h>

#include <fstream>
#include <iterator>
#include <string>

#include "net/asio_private.hpp"
#include "net/routes.hpp"

namespace strata::net::detail {
namespace {

std::string contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<base::ip_address> read_gateways() {
  auto all = parse_route_gateways(contents("/proc/net/route"));
  const auto index_of = [](std::string_view name) { return ::if_nametoindex(std::string(name).c_str()); };
  const auto six = parse_ipv6_route_gateways(contents("/proc/net/ipv6_route"), index_of);
  all.insert(all.end(), six.begin(), six.end());
  return all;
}

}  // namespace strata::net::detail
