#include "stun/discovery_sockets.hpp"

#include <utility>

namespace strata::stun {

base::result<discovery_sockets> discovery_sockets::bind(net::host& h, const base::endpoint& primary,
                                                        const base::endpoint& alternate) {
  const auto& a = primary.address;
  const auto& b = alternate.address;
  if (a.family() != b.family() || a == b || a.is_unspecified() || b.is_unspecified())
    return base::fail(base::errc::invalid, base::error::nowhere, "two addresses of one family");
  if (primary.port == alternate.port && primary.port != 0)
    return base::fail(base::errc::invalid, base::error::nowhere, "two ports");
  discovery_sockets all;
  auto ports = std::array{primary.port, alternate.port};
  for (std::size_t n = 0; n < count; ++n) {
    auto socket = h.bind_udp({(n & 2) != 0 ? b : a, ports[n & 1]});
    if (!socket) return base::fail(socket.error());
    // A port that the system chose is the one on the other address, too.
    ports[n & 1] = (*socket)->local_endpoint().port;
    all.sockets_[n] = std::move(*socket);
  }
  return all;
}

}  // namespace strata::stun
