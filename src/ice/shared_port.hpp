// One UDP port for all agents of a daemon: firewalls need one rule, and a NAT one mapping. Each agent gets a socket of its
// own to look at; port_table.hpp says what arrives at which.
//
//   shared_ports ports(host, 7000);                       // one for each address, bound when first asked for
//   s.spawn("ports", [&] { return ports.run(); });
//   config.open_socket = [&](const auto& local, auto ufrag) { return ports.open(local, ufrag); };
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "async/task.hpp"
#include "ice/port_table.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::ice {

struct shared_port_options {
  port_table::limits limits{};
  std::size_t inbox_bytes = 1u << 20;  // of one agent; what does not fit is dropped, as a kernel does
  net::udp_options socket{};
};

class shared_port {
 public:
  shared_port(net::host& h, std::unique_ptr<net::udp_socket> socket, shared_port_options o = {}, trace::tracer t = {});
  ~shared_port();
  shared_port(const shared_port&) = delete;
  shared_port& operator=(const shared_port&) = delete;

  // For the agent with this username fragment. What is destroyed is forgotten; it may outlive the port and receives errors
  // then. Errors: those of port_table::add(), and closed when run() has ended.
  [[nodiscard]] base::result<std::unique_ptr<net::udp_socket>> share(std::string_view local_ufrag);
  // Hands out what arrives until it is cancelled or the socket fails; all who share it are told then.
  [[nodiscard]] async::task<> run();

  [[nodiscard]] base::endpoint local_endpoint() const;
  struct counters {
    std::uint64_t nobodys = 0;     // datagrams that are nobody's
    std::uint64_t inbox_full = 0;  // somebody's who does not receive
  };
  [[nodiscard]] const counters& counted() const noexcept;
  [[nodiscard]] const port_table& table() const noexcept;

 private:
  class facade;
  struct shared;
  std::shared_ptr<shared> shared_;
};

// A shared_port for each address, all with the same port number.
class shared_ports {
 public:
  // Port 0: any, for each address its own.
  shared_ports(net::host& h, std::uint16_t port, shared_port_options o = {}, trace::tracer t = {});

  [[nodiscard]] base::result<std::unique_ptr<net::udp_socket>> open(const base::ip_address& local, std::string_view ufrag);
  // Serves the ports. One whose socket fails, because its address went away, is closed; the next open() binds it anew.
  [[nodiscard]] async::task<> run();
  [[nodiscard]] std::size_t ports() const noexcept { return ports_.size(); }

 private:
  async::task<> serve(std::shared_ptr<shared_port> p);

  net::host& host_;
  std::uint16_t port_;
  shared_port_options options_;
  trace::tracer tracer_;
  std::map<base::ip_address, std::shared_ptr<shared_port>> ports_;
  std::vector<std::shared_ptr<shared_port>> unserved_;  // bound since run() looked
  async::event work_;                                   // set: there are such
};

}  // namespace strata::ice
