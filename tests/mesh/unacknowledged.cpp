// What was handed to SCTP and never acknowledged is not lost in silence.
#include <set>

#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::world;

TEST_CASE("messages that the peer has not acknowledged when the connection ends are reported to the program") {
  world w;
  registry::service registry(w.registry_host, w.registry_config(), {});
  REQUIRE(registry.start().empty());
  // Of the plain protocol: frames would go another way.
  auto plain = world::node_config("ada");
  plain.plain = true;
  sidecar ada(w.net.add_host("ada", {"192.0.2.1"}), "ada", plain), grace(w, "grace", "192.0.2.2");
  w.net.set_limit(std::chrono::hours(1));
  w.run([&](async::scope& s) -> async::task<> {
    s.spawn("registry", [&registry] { return registry.run(); });
    co_await ada.start(s);
    co_await grace.start(s);
    co_await ada.wait_for_peer("grace");
    const auto say = [&](std::string id) -> async::task<> {
      auto m = base::json::make({{"type", "agent_prompt"}, {"request_id", id}});
      (void)co_await ada.program->command("send", base::json::make({{"target_peer", "grace"}, {"message", std::move(m)}}));
    };
    co_await say("acknowledged");
    co_await grace.wait_for("message");
    co_await async::sleep_for(2s);
    w.net.partition(ada.host, grace.host);
    for (const auto* id : {"one", "two", "three"}) co_await say(id);
    std::set<std::string> reported;
    while (reported.size() < 3) reported.emplace((co_await ada.wait_for("send_failed")).text("request_id"));
    CHECK(reported == std::set<std::string>{"one", "two", "three"});
  });
}
