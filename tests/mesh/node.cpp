// What two and three sidecars do that find each other through a registry.
#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::world;

TEST_CASE("two sidecars find each other through the registry and talk") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2");
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    co_await grace.wait_for_peer("ada");
    co_await ada.send("grace", "hello");
    CHECK(co_await grace.next_text() == "hello");
    co_await grace.send("ada", "hello yourself");
    CHECK(co_await ada.next_text() == "hello yourself");
  });
}

TEST_CASE("links stay when the registry is gone for a day, and are the same when it is back") {
  world w;
  auto registry = std::make_unique<registry::service>(w.registry_host, w.registry_config(), trace::tracer());
  REQUIRE(registry->start().empty());
  sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2");
  w.net.set_limit(std::chrono::hours(100));
  w.run([&](async::scope& s) -> async::task<> {
    async::event dies;
    s.spawn("registry", [&]() -> async::task<> {
      co_await async::first_of(registry->run(), [](async::event& e) -> async::task<> { co_await e.wait(); }(dies));
      registry.reset();
    });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    dies.set();
    co_await async::sleep_for(std::chrono::hours(24));
    co_await ada.send("grace", "a day later");
    CHECK(co_await grace.next_text() == "a day later");
    registry = std::make_unique<registry::service>(w.registry_host, w.registry_config(), trace::tracer());
    REQUIRE(registry->start().empty());
    s.spawn("registry again", [&] { return registry->run(); });
    co_await async::sleep_for(2min);
    CHECK(ada.node.status().text("signaling") == "registered");
    CHECK(ada.node.status().find("open")->as_int() == 1);
    co_await grace.send("ada", "same link");
    CHECK(co_await ada.next_text() == "same link");
  });
}

TEST_CASE("a peer whose machine vanishes is noticed, and linked again when it returns") {
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
    const auto gone = w.net.now();
    w.net.partition(ada.host, grace.host);
    const auto left = co_await ada.wait_for("peer_disconnected");
    CHECK(left.text("peer_id") == "grace");
    CHECK(w.net.now() - gone < 60s);  // RFC 7675: consent runs out after 30 s
    w.net.heal(ada.host, grace.host);
    co_await ada.wait_for_peer("grace");
    co_await ada.send("grace", "back");
    CHECK(co_await grace.next_text() == "back");
  });
}

TEST_CASE("a message for a peer that is not there is reported at once") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  sidecar ada(w, "ada", "192.0.2.1");
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await ada.send("nobody", "x");
    const auto failed = co_await ada.wait_for("send_failed");
    CHECK(failed.text("target_peer") == "nobody");
  });
}

TEST_CASE("three sidecars that start at once make a full mesh without glare, whatever the seed") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    world w(seed);
    w.net.all_links({.latency = 10ms, .jitter = 8ms});
    registry::service registry(w.registry_host, w.registry_config(), {});
    REQUIRE(registry.start().empty());
    sidecar ada(w, "ada", "192.0.2.1"), grace(w, "grace", "192.0.2.2"), hedy(w, "hedy", "192.0.2.3");
    w.run([&](async::scope& s) -> async::task<> {
      s.spawn("registry", [&registry] { return registry.run(); });
      const auto begin = w.net.now();
      for (auto* p : {&ada, &grace, &hedy}) co_await p->start(s);
      while (ada.node.status().find("open")->as_int() != 2 || grace.node.status().find("open")->as_int() != 2 ||
             hedy.node.status().find("open")->as_int() != 2)
        co_await async::sleep_for(10ms);
      CHECK(w.net.now() - begin < 10s);
    });
  }
}
