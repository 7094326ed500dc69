// Whole sidecars and a registry on a virtual network: signaling, ICE, DTLS, SCTP, the local socket, and time that flies.
#include "mesh/node.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "mesh/ipc_client.hpp"
#include "registry/service.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

constexpr const char* keys =
    R"({"keys":{"ak_for_ada":{"peer_id":"ada","role":"agent"},"ak_for_grace":{"peer_id":"grace","role":"agent"},"ak_for_hedy":{"peer_id":"hedy","role":"agent"}}})";

struct key_file {
  std::string path = "/tmp/strata-keys-XXXXXX";
  key_file() {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    std::ofstream(path) << keys;
  }
  ~key_file() { ::unlink(path.c_str()); }
};

struct world {
  explicit world(std::uint64_t seed = 1) : net(seed) { net.all_links({.latency = 10ms}); }
  key_file file;
  sim::network net;
  sim::host& registry_host = net.add_host("registry", {"192.0.2.100"});

  registry::service_config registry_config() const {
    registry::service_config c;
    c.listen = {registry_host.address(), 8080};
    c.stun = base::endpoint{registry_host.address(), 3478};
    c.keys_file = file.path;
    c.token_secret = std::string(32, 's');
    return c;
  }
  static mesh::node_config node_config(const std::string& name) {
    mesh::node_config c;
    c.signaling.signaling_url = "ws://registry:8080/ws";
    c.signaling.token_url = "http://registry:8080/api/token";
    c.signaling.api_key = "ak_for_" + name;
    c.ipc_path = "/run/" + name;
    return c;
  }
  template <class F>
  void run(F body) {
    net.run([](F f) -> async::task<> {
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> { co_await f(s); });
    }(std::move(body)));
  }
};

// A sidecar on its own machine with a program attached.
struct sidecar {
  sidecar(world& w, const std::string& name, std::string_view address)
      : host(w.net.add_host(name, {address})), node(host, world::node_config(name), nullptr), path("/run/" + name) {}
  sim::host& host;
  mesh::node node;
  std::string path;
  std::unique_ptr<mesh::ipc_client> program;

  async::task<> start(async::scope& s) {
    REQUIRE(node.listen());
    s.spawn("node", [this] { return node.run(); });
    auto c = co_await mesh::ipc_client::attach(host, path);
    REQUIRE(c);
    program = std::move(*c);
  }
  async::task<base::json> wait_for(std::string type) {
    for (;;) {
      auto e = co_await program->next();
      REQUIRE(e);
      if (e->type == type) co_return e->payload;
    }
  }
  async::task<> wait_for_peer(std::string peer) {
    for (;;) {
      auto e = co_await program->next();
      REQUIRE(e);
      if (e->type == "peer_connected" && e->payload.text("peer_id") == peer) co_return;
    }
  }
  async::task<> send(std::string peer, std::string text) {
    auto m = base::json::make({{"type", "agent_prompt"}, {"payload", base::json::make({{"message", std::move(text)}})}});
    (void)co_await program->command("send", base::json::make({{"target_peer", std::move(peer)}, {"message", std::move(m)}}));
  }
  async::task<std::string> next_text() {
    const auto payload = co_await wait_for("message");
    co_return std::string(payload.find("message")->find("payload")->text("message"));
  }
};

}  // namespace

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
