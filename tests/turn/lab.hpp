// A client, a peer and a TURN server on a simulated network.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "turn/allocation.hpp"
#include "turn/server/relay_server.hpp"

namespace strata::turn::testing {

using namespace std::chrono_literals;

struct lab {
  explicit lab(std::uint64_t seed = 1) : net(seed) { net.all_links({.latency = 10ms}); }
  sim::network net;
  sim::host& client = net.add_host("client", {"203.0.113.1", "2001:db8::1"});
  sim::host& peer = net.add_host("peer", {"203.0.113.2", "2001:db8::2"});
  sim::host& relay = net.add_host("relay", {"203.0.113.3", "2001:db8::3"});

  [[nodiscard]] turn::server::config server_config() const {
    turn::server::config c;
    c.udp = c.tcp = {{relay.address(0), 3478}};
    c.relay = {{relay.address(0)}, {relay.address(1)}};
    c.users["ada"] = "secret";
    c.peers = turn::server::peer_policy::everything();
    return c;
  }
  [[nodiscard]] static allocation_config client_config(server_transport over = server_transport::udp) {
    allocation_config c;
    c.server = {"relay", 3478, over, "ada", "secret", {}};
    return c;
  }
  template <class Body>
  void run(turn::server::config c, Body body) {
    net.set_limit(std::chrono::hours(24 * 40));
    turn::server::relay_server server(relay, std::move(c));
    REQUIRE(server.listen());
    net.run([](turn::server::relay_server& server, Body& body) -> async::task<> {
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
        s.spawn("TURN server", [&server] { return server.run(); });
        co_await body(server, s);
      });
    }(server, body));
  }
  template <class Body>
  void run(Body body) {
    run(server_config(), std::move(body));
  }
};

inline async::task<> run_allocation(allocation& a) { (void)co_await a.run(); }

// What arrives at a socket, one by one.
class reader {
 public:
  explicit reader(net::udp_socket& s) : socket_(s) {}
  struct packet {
    base::endpoint from;
    std::string text;
  };
  async::task<packet> next() {
    while (at_ == packets_.size()) {
      auto batch = co_await socket_.receive();
      REQUIRE(batch);
      for (const auto& d : *batch) packets_.push_back({d.peer, std::string(base::as_text(d.payload))});
    }
    co_return packets_[at_++];
  }

 private:
  net::udp_socket& socket_;
  std::vector<packet> packets_;
  std::size_t at_ = 0;
};

}  // namespace strata::turn::testing
