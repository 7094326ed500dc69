// The network changes under a link: the connection lives on, and what was sent arrives once and in order.
#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::world;

namespace {

async::task<> speak(sidecar& from, std::string to, int& sent, const bool& stop) {
  while (!stop) {
    co_await from.send(to, std::to_string(sent++));
    co_await async::sleep_for(100ms);
  }
}
async::task<> hear(sidecar& at, int& heard, bool& in_order) {
  for (;;) {
    const auto text = co_await at.next_text();
    in_order = in_order && text == std::to_string(heard);
    ++heard;
  }
}

// Two linked sidecars that talk ten times a second both ways, while `trouble` happens. All arrives in the end, in one session.
template <class Trouble>
void talk_through(world& w, Trouble trouble) {
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2");
  w.net.set_limit(std::chrono::hours(1));
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await grace.wait_for_peer("ada");
    int said_ada = 0, said_grace = 0, heard_ada = 0, heard_grace = 0;
    bool stop = false, in_order = true;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& talk) -> async::task<> {
      talk.spawn("ada speaks", speak, std::ref(ada), std::string("grace"), std::ref(said_ada), std::cref(stop));
      talk.spawn("grace speaks", speak, std::ref(grace), std::string("ada"), std::ref(said_grace), std::cref(stop));
      talk.spawn("grace listens", hear, std::ref(grace), std::ref(heard_grace), std::ref(in_order));
      talk.spawn("ada listens", hear, std::ref(ada), std::ref(heard_ada), std::ref(in_order));
      co_await async::sleep_for(2s);
      co_await trouble(ada, grace);
      stop = true;
      while (heard_grace < said_ada || heard_ada < said_grace) co_await async::sleep_for(100ms);
    });
    CHECK(in_order);
    CHECK(heard_grace == said_ada);
    CHECK(ada.node.link_status("grace").find("opened")->as_int() == 1);
  });
}

}  // namespace

TEST_CASE("a link outlives ten seconds without any network between its ends") {
  world w;
  talk_through(w, [&](sidecar& ada, sidecar& grace) -> async::task<> {
    w.net.partition(ada.host, grace.host);
    co_await async::sleep_for(10s);
    w.net.heal(ada.host, grace.host);
    co_await async::sleep_for(10s);
  });
}

TEST_CASE("a link outlives forty seconds without any network between its ends") {
  world w;
  talk_through(w, [&](sidecar& ada, sidecar& grace) -> async::task<> {
    w.net.partition(ada.host, grace.host);
    co_await async::sleep_for(40s);
    w.net.heal(ada.host, grace.host);
    co_await async::sleep_for(40s);
  });
}

TEST_CASE("a link follows a machine that moves to another network") {
  world w;
  talk_through(w, [&](sidecar& ada, sidecar& grace) -> async::task<> {
    ada.host.remove_address(ada.host.address());
    co_await async::sleep_for(3s);
    ada.host.add_address("wlan0", "198.51.100.7");
    const auto moved = w.net.now();
    while (ada.node.link_status("grace").find("restarts")->as_int() == 0) co_await async::sleep_for(10ms);
    CHECK(w.net.now() - moved < 3s);
    CHECK(ada.node.link_status("grace").find("connection")->find("local")->text("address").starts_with("198.51.100.7:"));
  });
}

TEST_CASE("a link follows both machines when they move at the same time") {
  world w;
  talk_through(w, [&](sidecar& ada, sidecar& grace) -> async::task<> {
    ada.host.remove_address(ada.host.address());
    ada.host.add_address("wlan0", "198.51.100.7");
    grace.host.remove_address(grace.host.address());
    grace.host.add_address("wlan0", "198.51.100.8");
    co_await async::sleep_for(20s);
    CHECK(ada.node.link_status("grace").find("connection")->find("local")->text("address").starts_with("198.51.100.7:"));
    CHECK(ada.node.link_status("grace").find("connection")->find("remote")->text("address").starts_with("198.51.100.8:"));
  });
}

TEST_CASE("a machine with a better way takes it before the old one is gone") {
  world w;
  talk_through(w, [&](sidecar& ada, sidecar&) -> async::task<> {
    ada.host.add_address("eth1", "198.51.100.9");
    while (ada.node.link_status("grace").find("restarts")->as_int() == 0) co_await async::sleep_for(10ms);
    ada.host.remove_address(*base::ip_address::parse("192.0.2.1"));
    co_await async::sleep_for(10s);
    CHECK(ada.node.link_status("grace").find("connection")->find("local")->text("address").starts_with("198.51.100.9:"));
  });
}

TEST_CASE("a network that changes while the registry is being asked does not wait for the old one's time-outs") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1");
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    w.net.partition(ada.host, w.registry_host);
    co_await ada.start(s);
    co_await async::sleep_for(2s);  // its first segment is on its way, and will be for long
    ada.host.remove_address(ada.host.address());
    w.net.heal(ada.host, w.registry_host);
    ada.host.add_address("wlan0", "198.51.100.7");
    const auto moved = w.net.now();
    while (ada.node.status().text("signaling") != "registered") co_await async::sleep_for(10ms);
    CHECK(w.net.now() - moved < 3s);
  });
}

TEST_CASE("a laptop that wakes an hour later on another network is linked again within two round trips of signaling") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2");
  w.net.set_limit(std::chrono::hours(3));
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    w.net.set_down(ada.host);
    co_await async::sleep_for(1h);
    w.net.set_up(ada.host);
    ada.host.remove_address(ada.host.address());
    ada.host.add_address("wlan0", "198.51.100.7");
    while (ada.node.status().text("signaling") != "registered") co_await async::sleep_for(1ms);
    const auto registered = w.net.now();
    co_await ada.wait_for_peer("grace");
    // One way to the registry and on to the peer is 20 ms: a round trip of signaling 40 ms. Checks, DTLS and SCTP over a path
    // of 20 ms round trip take their own.
    const auto of_the_path = 6 * 20ms + 50ms;
    CHECK(w.net.now() - registered < 2 * 40ms + of_the_path);
    co_await ada.send("grace", "good morning");
    CHECK(co_await grace.next_text() == "good morning");
  });
}

TEST_CASE("a link goes on when an interface goes away for some seconds while there is another") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    world w(seed);
    talk_through(w, [&](sidecar& ada, sidecar&) -> async::task<> {
      ada.host.add_address("wlan0", "203.0.113.1");
      co_await async::sleep_for(20s);
      ada.host.set_interface_up("eth0", false);
      co_await async::sleep_for(5s);
      ada.host.set_interface_up("eth0", true);
      co_await async::sleep_for(20s);
    });
  }
}

TEST_CASE("a peer that lost the connection takes a restart for a new call, and is called anew at once") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2");
  w.net.set_limit(std::chrono::hours(1));
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    for (const auto away : {22s, 23s, 24s, 25s, 26s}) {
      grace.host.set_interface_up("eth0", false);
      co_await async::sleep_for(away);
      grace.host.set_interface_up("eth0", true);
      co_await async::sleep_for(20s);
      CHECK(ada.node.link_status("grace").text("state") == "open");
      co_await ada.send("grace", "again");
      const auto heard = co_await async::with_timeout(2s, grace.next_text());
      CHECK(heard == std::optional<std::string>("again"));
    }
  });
}
