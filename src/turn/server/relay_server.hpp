// A TURN server (RFC 8656) over UDP, TCP and TLS, for UDP relayed addresses of either family or both. It answers STUN Binding
// requests on the same ports.
//
//   turn::server::config c;
//   c.udp = c.tcp = {{address, 3478}};
//   c.relay = {{address}};
//   c.users["alice"] = "secret";                      // or c.secrets = {…} for REST credentials
//   c.peers = turn::server::peer_policy::everything();  // in a laboratory whose addresses are special ones
//   turn::server::relay_server server(host, c);
//   if (auto ok = server.listen(); !ok) …
//   s.spawn("TURN server", [&] { return server.run(); });
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "async/task.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "net/tls_stream.hpp"
#include "trace/sink.hpp"
#include "turn/server/config.hpp"
#include "turn/server/counters.hpp"

namespace strata::turn::server {

struct config : rules_config {
  std::vector<base::endpoint> udp{}, tcp{}, tls{};  // port 0: any
  std::shared_ptr<const net::tls_server_identity> identity{};
  std::size_t connections = 1024;                  // TCP and TLS together; further ones are closed at once
  std::size_t connections_of_one_address = 64;     // an IPv6 /64 counts as one
  std::size_t outbox_bytes = 256u << 10;           // of one connection; data beyond it is dropped
  base::duration idle = std::chrono::seconds(30);  // a connection without allocation is closed after it
};

class relay_server {
 public:
  relay_server(net::host& h, config c, trace::tracer tracer = {});
  ~relay_server();
  relay_server(const relay_server&) = delete;
  relay_server& operator=(const relay_server&) = delete;

  // Binds what the config names; a TCP listener of port 0 gets the port of the UDP socket on its address when that is free.
  [[nodiscard]] base::result<void> listen();
  // Until it is cancelled. Every allocation ends with it.
  [[nodiscard]] async::task<> run();

  // For TLS connections that begin from now on.
  void use_identity(std::shared_ptr<const net::tls_server_identity> identity);

  // After listen(), with the ports that were bound, in the order of the config.
  [[nodiscard]] std::vector<base::endpoint> udp_endpoints() const;
  [[nodiscard]] std::vector<base::endpoint> tcp_endpoints() const;
  [[nodiscard]] std::vector<base::endpoint> tls_endpoints() const;

  [[nodiscard]] const counters& counted() const noexcept;
  [[nodiscard]] std::size_t allocations() const noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace strata::turn::server
