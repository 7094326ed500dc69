// The STUN responder beside the registry: UDP and TCP on one endpoint, and with a second address the four sockets of RFC 5780.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "net/host.hpp"
#include "stun/binding_server.hpp"
#include "trace/sink.hpp"

namespace strata::registry {

struct stun_service_config {
  base::endpoint listen;
  // RFC 5780 §6: another address of this machine, and another port. Port 0: the one after the first.
  std::optional<base::endpoint> alternate{};
};

class stun_service {
 public:
  stun_service(net::host& h, stun_service_config c, trace::tracer t = {});

  // Empty, or what was wrong.
  [[nodiscard]] std::string start();
  [[nodiscard]] async::task<> run();

  [[nodiscard]] base::endpoint endpoint() const;
  [[nodiscard]] const stun::binding_server::counters& counted() const noexcept { return server_.counted(); }

 private:
  [[nodiscard]] async::task<base::error> serve_udp();
  [[nodiscard]] async::task<base::error> serve_tcp();

  net::host& host_;
  stun_service_config config_;
  trace::tracer tracer_;
  stun::binding_server server_;
  std::unique_ptr<net::udp_socket> socket_;
  std::optional<stun::discovery_sockets> discovery_;
  std::unique_ptr<net::listener> listener_;
};

}  // namespace strata::registry
