// Sidecars behind NATs and firewalls: the registry names its relay, and the links take what there is.
#include <doctest/doctest.h>

#include "sim/place.hpp"
#include "turn/server/relay_server.hpp"
#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::world;

namespace {

constexpr const char* secret = "a secret of the relay";

struct relayed_world : world {
  explicit relayed_world(std::uint64_t seed = 1) : world(seed) { net.set_limit(std::chrono::hours(24 * 40)); }
  sim::host& relay_host = net.add_host("relay", {"198.51.100.9", "2001:db8:ffff::9"});

  template <class Body>
  void run(Body body) {
    auto rc = registry_config();
    rc.turn_urls = {"turn:relay"};
    rc.turn_secret = secret;
    registry::service registry(registry_host, rc, {});
    REQUIRE(registry.start().empty());
    turn::server::config tc;
    tc.udp = tc.tcp = {{relay_host.address(0), 3478}};
    tc.relay = {{relay_host.address(0)}};
    tc.secrets = {secret};
    tc.peers = turn::server::peer_policy::everything();
    turn::server::relay_server relay(relay_host, tc);
    REQUIRE(relay.listen());
    world::run([&](async::scope& s) -> async::task<> {
      s.spawn("registry", [&registry] { return registry.run(); });
      s.spawn("relay", [&relay] { return relay.run(); });
      co_await body(s, relay);
    });
  }
};

std::string pair_of(sidecar& at, const char* peer) {
  const auto status = at.node.link_status(peer);
  const auto* c = status.find("connection");
  if (c == nullptr || c->find("local") == nullptr) return "none";
  return std::string(c->find("local")->text("type")) + "-" + std::string(c->find("remote")->text("type"));
}

async::task<> talk(sidecar& one, sidecar& two, const std::string& text) {
  co_await one.send("grace", text);
  CHECK(co_await two.next_text() == text);
  co_await two.send("ada", text);
  CHECK(co_await one.next_text() == text);
}

}  // namespace

TEST_CASE("sidecars behind symmetric NATs talk over the relay that the registry names, with its credentials") {
  relayed_world w;
  sidecar ada(sim::put(w.net, sim::place_kind::symmetric_random, "ada", 1), "ada", world::node_config("ada"));
  sidecar grace(sim::put(w.net, sim::place_kind::symmetric_sequential, "grace", 2), "grace", world::node_config("grace"));
  w.run([&](async::scope& s, turn::server::relay_server& relay) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await talk(ada, grace, "over the relay");
    CHECK(pair_of(ada, "grace").find("relay") != std::string::npos);
    CHECK(relay.allocations() == 2);
  });
}

TEST_CASE("a sidecar whose UDP is blocked talks over TCP to the relay") {
  relayed_world w;
  sidecar ada(sim::put(w.net, sim::place_kind::udp_blocked, "ada", 1), "ada", world::node_config("ada"));
  sidecar grace(sim::put(w.net, sim::place_kind::port_restricted, "grace", 2), "grace", world::node_config("grace"));
  w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await talk(ada, grace, "over TCP");
    CHECK(pair_of(ada, "grace").starts_with("relay-"));
  });
}

TEST_CASE("a relayed link becomes direct when the firewall opens, and relayed again when it closes") {
  relayed_world w;
  auto& place = sim::put(w.net, sim::place_kind::port_restricted, "ada", 1);
  auto& router = *w.net.find_router("ada router");
  router.set_firewall({.udp = false, .tcp_ports = {}});
  sidecar ada(place, "ada", world::node_config("ada"));
  sidecar grace(sim::put(w.net, sim::place_kind::port_restricted, "grace", 2), "grace", world::node_config("grace"));
  w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await talk(ada, grace, "relayed");
    CHECK(pair_of(ada, "grace").find("relay") != std::string::npos);
    router.set_firewall({});
    const auto opened = w.net.now();
    while (pair_of(ada, "grace").find("relay") != std::string::npos) co_await async::sleep_for(100ms);
    CHECK(w.net.now() - opened < 2min);
    co_await talk(ada, grace, "direct");
    router.set_firewall({.udp = false, .tcp_ports = {}});
    co_await talk(ada, grace, "through the queue, and then relayed again");
    while (pair_of(ada, "grace").find("relay") == std::string::npos) co_await async::sleep_for(100ms);
    CHECK(ada.node.link_status("grace").find("opened")->as_int() == 1);
  });
}

TEST_CASE("a link survives the reboot of a NAT, which forgets every mapping") {
  relayed_world w;
  sidecar ada(sim::put(w.net, sim::place_kind::symmetric_random, "ada", 1), "ada", world::node_config("ada"));
  sidecar grace(sim::put(w.net, sim::place_kind::full_cone, "grace", 2), "grace", world::node_config("grace"));
  w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await grace.wait_for_peer("ada");
    for (int i = 0; i < 5; ++i) {
      w.net.find_router("ada router")->reboot();
      w.net.find_router("grace router")
          ->change_outside({base::ip_address::v4(203, 0, 113, static_cast<std::uint8_t>(100 + i))});
      co_await talk(ada, grace, "after reboot " + std::to_string(i));
    }
    CHECK(ada.node.link_status("grace").find("opened")->as_int() == 1);
  });
}

TEST_CASE("a NAT that reboots while a link is being made costs some seconds, whenever it happens") {
  for (auto moment = 100ms; moment < 1000ms; moment += 45ms) {
    CAPTURE(moment.count());
    relayed_world w;
    sidecar ada(sim::put(w.net, sim::place_kind::symmetric_random, "ada", 1), "ada", world::node_config("ada"));
    sidecar grace(sim::put(w.net, sim::place_kind::full_cone, "grace", 2), "grace", world::node_config("grace"));
    w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
      co_await ada.start(s);
      co_await grace.start(s);
      co_await async::sleep_for(moment);
      w.net.find_router("ada router")->reboot();
      w.net.find_router("grace router")->change_outside({base::ip_address::v4(203, 0, 113, 100)});
      const auto rebooted = w.net.now();
      const auto is_open = [](sidecar& at, const char* peer) { return at.node.link_status(peer).text("state") == "open"; };
      for (;;) {
        while (!is_open(ada, "grace") || !is_open(grace, "ada")) co_await async::sleep_for(100ms);
        co_await ada.send("grace", "x");
        if (co_await async::with_timeout(2s, grace.next_text())) break;
      }
      CHECK(w.net.now() - rebooted < 90s);
    });
  }
}

TEST_CASE("a relayed link outlives its credentials: new ones come in time") {
  relayed_world w;
  sidecar ada(sim::put(w.net, sim::place_kind::symmetric_random, "ada", 1), "ada", world::node_config("ada"));
  sidecar grace(sim::put(w.net, sim::place_kind::symmetric_random, "grace", 2), "grace", world::node_config("grace"));
  w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    for (int time = 0; time < 3; ++time) {
      co_await talk(ada, grace, "time " + std::to_string(time));
      co_await async::sleep_for(50min);  // of the hour that credentials live
    }
    CHECK(ada.node.link_status("grace").find("opened")->as_int() == 1);
  });
}

TEST_CASE("one UDP port serves all peers of a sidecar") {
  relayed_world w;
  auto c = world::node_config("ada");
  c.udp_port = 7000;
  sidecar ada(w.net.add_host("ada", {"192.0.2.1"}), "ada", c);
  sidecar grace(w, "grace", "192.0.2.2"), hedy(w, "hedy", "192.0.2.3");
  w.net.tap([&](const sim::packet_event& e) {
    const bool to_peers = e.packet.protocol == sim::protocol::udp && e.packet.destination.port > 10000;
    if (e.what == sim::packet_event::moment::sent && e.packet.source.address == ada.host.address() && to_peers &&
        e.packet.destination.address != w.relay_host.address())
      CHECK(e.packet.source.port == 7000);
  });
  w.run([&](async::scope& s, turn::server::relay_server&) -> async::task<> {
    co_await ada.start(s);
    co_await grace.start(s);
    co_await hedy.start(s);
    while (ada.node.status().find("open")->as_int() != 2) co_await async::sleep_for(10ms);
    for (const auto* name : {"grace", "hedy"})
      CHECK(ada.node.link_status(name).find("connection")->find("local")->text("address") == "192.0.2.1:7000");
    co_await talk(ada, grace, "shared");
  });
}
