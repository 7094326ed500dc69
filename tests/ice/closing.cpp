#include <doctest/doctest.h>

#include "agents.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct two {
  sim::network net{8};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  agent a{ha, {.controlling = true, .stun_servers = {*base::endpoint::parse("192.0.2.99:3478")}}};
  agent b{hb, {}};
};

}  // namespace

TEST_CASE("an agent may be closed in every state, and everything that waits for it returns") {
  for (int when = 0; when < 60; ++when) {
    INFO(when * 5, " ms");
    two w;
    w.net.run([](two& w, int when) -> async::task<> {
      co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
        s.spawn("agent a", [&w] { return w.a.run(); });
        s.spawn("agent b", [&w] { return w.b.run(); });
        s.spawn("signaling", describe, std::ref(w.a), std::ref(w.b), 20ms);
        s.spawn("candidates of a", trickle, std::ref(w.a), std::ref(w.b), 20ms);
        s.spawn("candidates of b", trickle, std::ref(w.b), std::ref(w.a), 20ms);
        s.spawn("waits for a", [&w]() -> async::task<> { (void)co_await w.a.connected(); });
        s.spawn("waits for the end", [&w] { return wait_for(w.a, agent_state::closed); });
        co_await async::sleep_for(when * 5ms);
        w.a.close();
        w.b.close();
        w.a.close();
        CHECK(w.a.state() == agent_state::closed);
        CHECK_FALSE(w.a.send(base::as_bytes("x")));
      });
    }(w, when));
    CHECK(w.a.reason() == "closed by us");
    CHECK((w.net.run(w.a.connected())).error() == make_error_code(errc::closed));
    // Closed sockets: nothing arrives, nothing leaves.
    int packets = 0;
    w.net.tap([&](const sim::packet_event& e) { packets += e.what == sim::packet_event::moment::sent ? 1 : 0; });
    w.net.run_for(60s);
    CHECK(packets == 0);
  }
}

TEST_CASE("an agent may be cancelled at any time") {
  for (int when = 0; when < 60; ++when) {
    two w;
    with_agents(w.net, w.a, w.b, [&]() -> async::task<> { co_await async::sleep_for(when * 5ms); });
    CHECK(w.a.state() == agent_state::closed);
    CHECK(w.a.reason() == "its work was cancelled");
  }
}

TEST_CASE("an agent may be closed from its own callback, which is not called again") {
  two w;
  int called = 0;
  w.b.on_datagram = [&](base::byte_view) {
    ++called;
    w.b.close();
  };
  with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
    CHECK(co_await w.a.connected());
    for (int i = 0; i < 5; ++i) w.a.send(base::as_bytes("close yourself"));
    co_await wait_for(w.b, agent_state::closed);
    co_await async::sleep_for(1s);
  });
  CHECK(called == 1);
}

TEST_CASE("a closed agent takes nothing any more, one that never ran can be asked everything") {
  two w;
  w.a.close();
  w.net.run(w.a.run());
  w.a.set_remote(w.b.local());
  CHECK(w.a.add_remote_candidate("1 1 udp 9 192.0.2.2 5 typ host").error() == make_error_code(errc::closed));
  CHECK(w.a.state() == agent_state::closed);
  CHECK_FALSE(w.net.run(w.a.next_local_candidate()));
  w.net.run(w.a.gathered());
  CHECK(w.b.state() == agent_state::idle);
  CHECK_FALSE(w.b.selected());
  CHECK(w.b.local_candidates().empty());
  CHECK_FALSE(w.b.send(base::as_bytes("x")));
}

TEST_CASE("the trace tells the whole story in order") {
  two w;
  recorder trace;
  agent c(w.ha, {.controlling = true}, {trace, "c"});
  with_agents(w.net, c, w.b, [&]() -> async::task<> { co_await both_completed(c, w.b); });
  std::size_t at = 0;
  for (const std::string part :
       {"ice phase gathering begins", "ice address 127.0.0.1: loopback", "ice local candidate: host 192.0.2.1:",
        "ice phase gathering ends", "ice remote candidate: host 192.0.2.2:", "ice phase checks begins: controlling",
        "ice agent: idle -> checking (the peer's description is known)", ": Waiting -> In-Progress (triggered check)",
        ": In-Progress -> Succeeded (succeeded)",
        "ice selected pair: host 192.0.2.1:", "ice agent: checking -> connected (a check succeeded)", "ice phase checks ends",
        "ice nomination: host 192.0.2.1:", "ice agent: connected -> completed (we nominated the pair)",
        "ice agent: completed -> closed (its work was cancelled)"}) {
    INFO(part);
    while (at < trace.lines.size() && trace.lines[at].find(part) == std::string::npos) ++at;
    CHECK(at < trace.lines.size());
  }
  if (at >= trace.lines.size())
    for (const auto& l : trace.lines) MESSAGE(l);
}
