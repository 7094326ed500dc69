// The TURN server beside the registry: STUN and TURN on one port over UDP and TCP, TLS on another, for peers with a credential
// of ours.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "net/host.hpp"
#include "net/tls_stream.hpp"
#include "trace/sink.hpp"
#include "turn/server/relay_server.hpp"

namespace strata::registry {

struct turn_service_config {
  base::endpoint listen;
  std::optional<base::endpoint> tls{};
  std::vector<turn::server::relay_address> relay{};  // empty: the address of `listen`
  turn::server::port_range ports{};
  turn::server::peer_policy peers{};
  turn::server::quotas limits{};
  std::string realm = "strata";
  std::string previous_secret{};  // still good while credentials made with it last; empty: none
};

class turn_service {
 public:
  turn_service(net::host& h, turn_service_config c, trace::tracer t = {});

  // Empty, or what was wrong. `identity` is for TLS.
  [[nodiscard]] std::string start(const std::string& secret, std::shared_ptr<const net::tls_server_identity> identity);
  [[nodiscard]] async::task<> run() { return server_->run(); }
  void use_identity(std::shared_ptr<const net::tls_server_identity> i) { server_->use_identity(std::move(i)); }

  [[nodiscard]] base::endpoint endpoint() const { return server_->udp_endpoints().front(); }
  // Where peers find it, by number: "turn:192.0.2.1:3478?transport=udp", the same over TCP, and turns: when there is TLS.
  [[nodiscard]] std::vector<std::string> urls() const;
  [[nodiscard]] std::string stun_url() const;
  [[nodiscard]] const turn::server::counters& counted() const noexcept { return server_->counted(); }
  [[nodiscard]] std::size_t allocations() const noexcept { return server_->allocations(); }

 private:
  // As peers see an address of ours.
  [[nodiscard]] std::string seen(const base::endpoint& local) const;

  net::host& host_;
  turn_service_config config_;
  trace::tracer tracer_;
  std::unique_ptr<turn::server::relay_server> server_;
};

}  // namespace strata::registry
