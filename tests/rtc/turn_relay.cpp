// The ways to one TURN server race; what comes in second leaves nothing behind.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "rtc/turn_relay.hpp"
#include "sim/network.hpp"
#include "turn/server/relay_server.hpp"

using namespace strata;
using namespace std::chrono_literals;

TEST_CASE("a way that has lost the race gives its allocation back") {
  sim::network net(3);
  net.all_links({.latency = 30ms});
  auto& home = net.add_router("home", {.nat = sim::nat_behaviour{}}, {*base::ip_address::parse("203.0.113.1")});
  auto& client = net.add_host_behind(home, "client", {"192.168.1.2"});
  auto& server = net.add_host("server", {"198.51.100.1"});
  turn::server::config c;
  c.udp = c.tcp = {{server.address(), 3478}};
  c.relay = {{server.address()}};
  c.users["user"] = "secret";
  net.run(
      [](sim::network& net, sim::router& home, sim::host& client, sim::host& server, turn::server::config c) -> async::task<> {
        turn::server::relay_server relay(server, std::move(c));
        REQUIRE(relay.listen());
        co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
          s.spawn("server", [&relay] { return relay.run(); });
          using over = turn::server_transport;
          const std::vector<turn::server_info> ways{{"server", 3478, over::udp, "user", "secret", {}},
                                                    {"server", 3478, over::tcp, "user", "secret", {}}};
          const auto sources = rtc::relay_sources(client, ways, {});
          REQUIRE(sources.size() == 1);
          // UDP is let through a moment too late.
          home.set_firewall({.udp = false});
          s.spawn("firewall", [&home]() -> async::task<> {
            co_await async::sleep_for(450ms);
            home.set_firewall({});
          });
          auto won = co_await sources.front().allocate(s);
          REQUIRE(won);
          std::size_t most = 0;
          for (int n = 0; n < 5000; ++n) {
            most = std::max(most, relay.allocations());
            co_await async::sleep_for(1ms);
          }
          CHECK(most == 2);
          CHECK(relay.allocations() == 1);
        });
      }(net, home, client, server, c));
}
