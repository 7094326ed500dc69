// Paths that die under traffic are found dead within seconds; paths that rest are left in peace.
#include <doctest/doctest.h>

#include "agents.hpp"
#include "ice/silence.hpp"

namespace strata::ice::testing {
namespace {

struct pair_of_agents {
  sim::network net{11};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  agent a{ha, {.controlling = true}}, b{hb, {}};
};

async::task<> send_for(agent& a, base::duration length) {
  for (base::duration sent{}; sent < length; sent += 100ms) {
    a.send(base::as_bytes("data"));
    co_await async::sleep_for(100ms);
  }
}

}  // namespace

TEST_CASE("the watch asks when data stays without an answer, and gives up after some questions") {
  silence_watch w;
  auto now = base::instant(1h);
  CHECK(w.look(now, 0, 0, 20ms).look_again == base::never);  // nothing sent: it rests
  auto v = w.look(now, 1, 0, 20ms);
  int asked = 0;
  while (!v.interrupted) {
    REQUIRE(v.look_again != base::never);
    now = v.look_again;
    v = w.look(now, 2, 0, 20ms);
    asked += v.ask ? 1 : 0;
  }
  CHECK(asked == silence_watch::questions + 1);
  CHECK(now - base::instant(1h) <= 3s);
  CHECK_FALSE(w.look(v.look_again, 3, 1, 20ms).interrupted);  // one answer, and all is well
}

TEST_CASE("the watch waits longer for a peer that is far away") {
  silence_watch near, far;
  const auto begin = base::instant(1h);
  const auto first_question = [&](silence_watch& w, base::duration rtt) {
    auto now = begin;
    auto v = w.look(now, 1, 0, rtt);
    while (!v.ask) v = w.look(now = v.look_again, 1, 0, rtt);
    return now - begin;
  };
  CHECK(first_question(near, 10ms) < first_question(far, 600ms));
}

TEST_CASE("a path that dies under traffic is found dead within three seconds") {
  pair_of_agents p;
  with_agents(p.net, p.a, p.b, [&]() -> async::task<> {
    co_await both_completed(p.a, p.b);
    co_await async::sleep_for(1s);
    p.net.partition(p.ha, p.hb);
    const auto cut = p.net.now();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("traffic", send_for, std::ref(p.a), base::duration(10s));
      co_await wait_for(p.a, agent_state::disconnected);
    });
    CHECK(p.net.now() - cut < 3s);
    p.net.heal(p.ha, p.hb);
    co_await wait_for(p.a, agent_state::completed);
  });
}

TEST_CASE("a path that is used in one direction only is asked about and stays") {
  pair_of_agents p;
  with_agents(p.net, p.a, p.b, [&]() -> async::task<> {
    co_await both_completed(p.a, p.b);
    co_await send_for(p.a, 60s);
    CHECK(p.a.state() == agent_state::completed);
    CHECK(p.a.counts().consent_sent < 90);
  });
}

TEST_CASE("a path at rest is asked as seldom as consent needs") {
  pair_of_agents p;
  with_agents(p.net, p.a, p.b, [&]() -> async::task<> {
    co_await both_completed(p.a, p.b);
    const auto before = p.a.counts().consent_sent;
    co_await async::sleep_for(100s);
    CHECK(p.a.counts().consent_sent - before <= 26);
  });
}

}  // namespace strata::ice::testing
