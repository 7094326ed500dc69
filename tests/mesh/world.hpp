// Whole sidecars and a registry on a virtual network: signaling, ICE, DTLS, SCTP, the local socket, and time that flies.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "mesh/ipc_client.hpp"
#include "mesh/node.hpp"
#include "registry/service.hpp"
#include "sim/network.hpp"
#include "sim/process_clock.hpp"

namespace strata::mesh::testing {

using namespace std::chrono_literals;

inline constexpr const char* keys =
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
  explicit world(std::uint64_t seed = 1) : net(seed) {
    net.all_links({.latency = 10ms});
    sim::follow(&net.loop(), seed);
  }
  ~world() { sim::follow(nullptr); }
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  key_file file;
  sim::network net;
  sim::host& registry_host = net.add_host("registry", {"192.0.2.100"});

  registry::service_config registry_config() const {
    registry::service_config c;
    c.listen = {{registry_host.address(), 8080}};
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
      : sidecar(w.net.add_host(name, {address}), name, world::node_config(name)) {}
  sidecar(sim::host& at, const std::string& name, node_config c)
      : host(at), node(host, std::move(c), nullptr), path("/run/" + name) {}
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

}  // namespace strata::mesh::testing
