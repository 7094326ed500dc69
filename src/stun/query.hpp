// Ask a server for one's own address, with everything around it: the socket or connection, the receiving, name look-up.
#pragma once

#include <string>

#include "stun/client.hpp"
#include "stun/uri.hpp"

namespace strata::stun {

// Over a socket of the caller's, which nobody else reads meanwhile: the mapped address is that socket's.
[[nodiscard]] async::task<base::result<binding_result>> query_binding(net::host& h, net::udp_socket& socket,
                                                                      base::endpoint server, client_config config = {});
// Over a socket of its own.
[[nodiscard]] async::task<base::result<binding_result>> query_binding(net::host& h, base::endpoint server,
                                                                      client_config config = {});
// Over a TCP connection of its own; its length is bounded by config.ti.
[[nodiscard]] async::task<base::result<binding_result>> query_binding_tcp(net::host& h, base::endpoint server,
                                                                          client_config config = {});
// Every address of the name in the order of the resolver, both families, until one answers (RFC 8489 §8.1). stuns: is
// base::errc::unsupported here: TLS is the business of whoever has a connection.
[[nodiscard]] async::task<base::result<binding_result>> query_binding(net::host& h, server_uri server,
                                                                      client_config config = {});

}  // namespace strata::stun
