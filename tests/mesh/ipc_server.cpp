#include "mesh/ipc_server.hpp"

#include <doctest/doctest.h>

#include "mesh/ipc_client.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace strata::mesh;

namespace {

// A server on a simulated machine that remembers the commands it is given.
struct served {
  sim::network net;
  sim::host& h = net.add_host("h", {"192.0.2.1"});
  std::vector<command> commands;
  ipc_server server{h,
                    "/run/s",
                    {.on_command = [this](ipc_session&, command c) -> async::task<> {
                       commands.push_back(std::move(c));
                       co_return;
                     },
                     .on_attached = [](ipc_session& s) { s.try_tell(R"({"type":"peer_list","payload":{"peers":[]}})"); }},
                    {}};

  template <class F>
  void run(F body) {
    REQUIRE(server.listen());
    net.run([](served& self, F f) -> async::task<> {
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
        s.spawn("server", [&self] { return self.server.run(); });
        co_await f();
      });
    }(*this, std::move(body)));
  }
  async::task<std::unique_ptr<ipc_client>> attach() {
    auto c = co_await ipc_client::attach(h, "/run/s");
    REQUIRE(c);
    auto greeting = co_await (*c)->next();
    REQUIRE(greeting);
    CHECK(greeting->type == "peer_list");
    co_return std::move(*c);
  }
};

}  // namespace

TEST_CASE("a program is greeted, heard and answered") {
  served s;
  s.run([&]() -> async::task<> {
    auto c = co_await s.attach();
    (void)co_await c->command("list_peers", base::json::object());
    const bool kept = co_await s.server.deliver(R"({"type":"message","payload":{}})");
    CHECK(kept);
    auto e = co_await c->next();
    REQUIRE(e);
    CHECK(e->type == "message");
    CHECK(s.commands.size() == 1);
    CHECK(s.server.programs() == 1);
  });
}

TEST_CASE("a bad line is answered and costs nothing else") {
  served s;
  s.run([&]() -> async::task<> {
    auto c = co_await s.attach();
    (void)co_await c->command("dance", base::json::object());
    auto e = co_await c->next();
    REQUIRE(e);
    CHECK(e->type == "error");
    (void)co_await c->command("list_peers", base::json::object());
    while (s.commands.empty()) co_await async::sleep_for(std::chrono::milliseconds(1));
    CHECK(s.server.counters().bad_lines == 1);
  });
}

TEST_CASE("what arrives while nobody is attached waits within a bound and comes first") {
  served s;
  s.run([&]() -> async::task<> {
    const std::string line = R"({"type":"message","payload":{"n":")" + std::string(100'000, 'x') + R"("}})";
    int kept = 0;
    for (int i = 0; i < 20; ++i)
      if (co_await s.server.deliver(line.substr(0, 30'000))) ++kept;
    for (int i = 0; i < 20; ++i)
      if (co_await s.server.deliver(line)) ++kept;
    CHECK(kept == 24);  // 600 kB, then 400 kB more of one MiB
    CHECK(s.server.counters().overflowed == 16);
  });
}

TEST_CASE("whoever hands a line to a program that does not read waits, and goes on when it reads or leaves") {
  served s;
  s.run([&]() -> async::task<> {
    auto c = co_await s.attach();
    std::size_t delivered = 0;
    const std::string line = R"({"type":"message","payload":{"n":")" + std::string(60'000, 'x') + R"("}})";
    co_await async::with_scope(async::at_end::join, [&](async::scope& inner) -> async::task<> {
      inner.spawn("deliveries", [&]() -> async::task<> {
        for (int i = 0; i < 200; ++i) {
          (void)co_await s.server.deliver(line);
          ++delivered;
        }
      });
      co_await async::sleep_for(std::chrono::seconds(60));
      const auto stuck_at = delivered;
      CHECK(stuck_at < 200);
      CHECK(stuck_at * line.size() >= ipc_queue_bytes - line.size());
      for (int i = 0; i < 20; ++i) REQUIRE((co_await c->next()).has_value());
      co_await async::sleep_for(std::chrono::seconds(1));
      CHECK(delivered > stuck_at);
      c.reset();  // it leaves; the rest goes to the next program, as far as there is room
    });
    CHECK(delivered == 200);
    CHECK(s.server.programs() == 0);
  });
}
