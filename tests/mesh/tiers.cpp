// One message, three ways: what is accepted arrives once and in its order, whichever of them works.
#include "store/sqlite.hpp"
#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::world;

namespace {

std::string tier_of(sidecar& from, std::string_view to) {
  for (const auto& [peer, c] : from.node.conversations())
    if (peer == to) return std::string(to_string(c->in_use()));
  return "nobody";
}

async::task<> expect(sidecar& at, std::string text) {
  const auto heard = co_await at.next_text();
  CHECK(heard == text);
}

struct pair_of_peers {
  world w;
  registry::service registry{w.registry_host, w.registry_config(), {}};
  sidecar ada{w, "ada", "192.0.2.1"}, grace{w, "grace", "192.0.2.2"};

  template <class F>
  void run(F body) {
    REQUIRE(registry.start().empty());
    w.net.set_limit(std::chrono::hours(48));
    w.run([&](async::scope& s) -> async::task<> {
      s.spawn("registry", [this] { return registry.run(); });
      co_await ada.start(s);
      co_await grace.start(s);
      co_await ada.wait_for_peer("grace");
      co_await grace.wait_for_peer("ada");
      co_await body();
    });
  }
};

}  // namespace

TEST_CASE("a message goes directly, through the queue within a second of the path's death, and directly again") {
  pair_of_peers p;
  p.run([&]() -> async::task<> {
    co_await p.ada.send("grace", "direct");
    co_await expect(p.grace, "direct");
    CHECK(tier_of(p.ada, "grace") == "direct");

    p.w.net.partition(p.ada.host, p.grace.host);
    const auto cut = p.w.net.now();
    co_await p.ada.send("grace", "by the queue");
    co_await expect(p.grace, "by the queue");
    CHECK(p.w.net.now() - cut < 1s);
    CHECK(tier_of(p.ada, "grace") == "tasks");
    const auto sent = p.w.net.now();
    co_await p.ada.send("grace", "at once");
    co_await expect(p.grace, "at once");
    CHECK(p.w.net.now() - sent < 200ms);

    p.w.net.heal(p.ada.host, p.grace.host);
    while (tier_of(p.ada, "grace") != "direct") co_await async::sleep_for(100ms);
    co_await p.ada.send("grace", "direct again");
    co_await expect(p.grace, "direct again");
  });
}

TEST_CASE("the registry and the path die together: what was sent arrives when one of them is back") {
  pair_of_peers p;
  p.run([&]() -> async::task<> {
    p.w.net.partition(p.ada.host, p.grace.host);
    p.w.net.partition(p.ada.host, p.w.registry_host);
    for (int i = 0; i < 20; ++i) co_await p.ada.send("grace", std::to_string(i));
    co_await async::sleep_for(10min);
    p.w.net.heal(p.ada.host, p.w.registry_host);
    for (int i = 0; i < 20; ++i) co_await expect(p.grace, std::to_string(i));
  });
}

TEST_CASE("a program that asks for it hears what became of its message") {
  pair_of_peers p;
  p.run([&]() -> async::task<> {
    const auto send = [&](std::string id, base::json more) -> async::task<> {
      more.set("id", id);
      more.set("target_peer", "grace");
      more.set("message", base::json::make({{"type", "agent_prompt"}, {"payload", base::json::make({{"message", id}})}}));
      (void)co_await p.ada.program->command("send", std::move(more));
    };
    co_await send("one", base::json::object());
    const auto delivered = co_await p.ada.wait_for("outcome");
    CHECK(delivered.text("id") == "one");
    CHECK(delivered.text("outcome") == "delivered");

    p.w.net.partition(p.ada.host, p.grace.host);
    p.w.net.partition(p.ada.host, p.w.registry_host);
    co_await send("two", base::json::make({{"deadline_ms", 3000}}));
    const auto failed = co_await p.ada.wait_for("send_failed");
    CHECK(failed.text("id") == "two");
    CHECK(failed.text("error").starts_with("expired"));
  });
}

TEST_CASE("messages of a stream of their own do not hold up the others") {
  pair_of_peers p;
  p.run([&]() -> async::task<> {
    const auto large =
        base::json::make({{"type", "agent_prompt"}, {"payload", base::json::make({{"message", std::string(60'000, 'x')}})}});
    for (int i = 0; i < 40; ++i)
      (void)co_await p.ada.program->command("send",
                                            base::json::make({{"target_peer", "grace"}, {"stream", 1}, {"message", large}}));
    co_await p.ada.send("grace", "small");
    int before = 0;
    while (co_await p.grace.next_text() != "small") ++before;
    CHECK(before < 40);
  });
}

TEST_CASE("messages that wait do not hurry the link: attempts keep their distance") {
  pair_of_peers p;
  p.run([&]() -> async::task<> {
    p.w.net.partition(p.ada.host, p.grace.host);
    co_await async::sleep_for(2min);
    const auto attempts = [&] { return p.ada.node.link_status("grace").find("attempts")->as_int().value_or(0); };
    const auto before = attempts();
    for (int i = 0; i < 600; ++i) {
      co_await p.ada.send("grace", std::to_string(i));
      co_await async::sleep_for(100ms);
    }
    CHECK(attempts() - before < 10);
  });
}

TEST_CASE("what waits for a peer that is away outlives the death of its meshd") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  char folder[] = "/tmp/strata-spool-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const auto path = std::string(folder) + "/meshd.db";
  auto& host = w.net.add_host("ada", {"192.0.2.1"});
  const auto key = crypto::signing_key::generate([&w](base::byte_span out) { w.registry_host.random(out); });
  const auto other = crypto::signing_key::generate([&w](base::byte_span out) { w.registry_host.random(out); });
  auto config = world::node_config("grace");
  config.identity = other;
  auto& grace_host = w.net.add_host("grace", {"192.0.2.2"});
  w.net.set_limit(std::chrono::hours(48));
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    const auto life_of_ada = [&](auto body) -> async::task<> {
      auto opened = store::open_sqlite(host, path, mesh::node::schema());
      REQUIRE(opened);
      auto c = world::node_config("ada");
      c.identity = key;
      c.store = opened->get();
      sidecar ada(host, "ada", c);
      REQUIRE(ada.node.recall());
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& life) -> async::task<> {
        co_await ada.start(life);
        co_await body(ada);
      });
    };
    // They meet once, so that ada knows that grace speaks frames.
    {
      sidecar grace(grace_host, "grace", config);
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& together) -> async::task<> {
        co_await grace.start(together);
        co_await life_of_ada([&](sidecar& ada) -> async::task<> { co_await ada.wait_for_peer("grace"); });
      });
    }
    co_await async::sleep_for(1min);
    co_await life_of_ada([&](sidecar& ada) -> async::task<> {
      for (int i = 0; i < 50; ++i) co_await ada.send("grace", std::to_string(i));
      co_await async::sleep_for(1min);
    });
    co_await async::sleep_for(std::chrono::hours(10));
    sidecar grace(grace_host, "grace", config);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& together) -> async::task<> {
      co_await grace.start(together);
      co_await life_of_ada([&](sidecar&) -> async::task<> {
        for (int i = 0; i < 50; ++i) co_await expect(grace, std::to_string(i));
      });
    });
  });
  CHECK(std::system(("rm -r " + std::string(folder)).c_str()) == 0);
}
