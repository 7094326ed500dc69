// What time does to a session: loss, silence, consent, patience.
#include <doctest/doctest.h>

#include <set>

#include "scripted_peer.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct two {
  explicit two(std::uint64_t seed = 9) : net(seed) {}
  sim::network net;
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  recorder trace;
  agent a{ha, {.controlling = true}, {trace, "a"}};
  agent b{hb, {}};
};

}  // namespace

TEST_CASE("a third of all packets may be lost") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed ", seed);
    two w(seed);
    w.net.all_links({.latency = 40ms, .jitter = 30ms, .loss = 0.3, .duplicate = 0.1, .reorder = 0.1});
    with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
      co_await both_completed(w.a, w.b);
      CHECK(w.a.selected()->local.address == w.b.selected()->remote.address);
    });
  }
}

TEST_CASE("of two ways one is dead: the other connects without waiting for it, and is nominated soon") {
  sim::network net(9);
  // b's first address cannot be reached: packets to it go nowhere.
  auto& ha = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true}), b(hb, {});
  with_agents(net, a, b, [&]() -> async::task<> {
    CHECK(a.add_remote_candidate("1 1 udp 2130706431 2001:db8::dead 5000 typ host"));
    const auto begin = net.now();
    CHECK(co_await a.connected());
    CHECK(net.now() - begin < 200ms);
    co_await both_completed(a, b);
    CHECK(net.now() - begin < 500ms);
    CHECK(a.selected()->remote.address.address.is_v4());
  });
}

// req: 8839-6-a
// req: 7675-5.1-b, 7675-5.1-c, 7675-5.1-i, 7675-5.1-j, 7675-4-a, 8445-11-a, 8445-11-b, 8445-11-c, 8445-11-h
TEST_CASE("an idle session asks for consent every four to six seconds, each time anew and once, and sends nothing else") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb);
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    CHECK(a.add_remote_candidate(b.as_candidate()));
    co_await wait_for(a, agent_state::completed);
    b.requests.clear();
    co_await async::sleep_for(120s);
    CHECK(b.requests.size() >= 20);
    std::set<stun::transaction_id> ids;
    for (std::size_t i = 0; i < b.requests.size(); ++i) {
      const auto& r = b.requests[i];
      CHECK(r.check.refuse == 0);
      CHECK_FALSE(r.check.use_candidate);
      CHECK(r.message().is(stun::message_class::request, stun::method::binding));
      ids.insert(r.message().transaction_id());
      if (i > 0) CHECK(r.at - b.requests[i - 1].at >= 4s);
      if (i > 0) CHECK(r.at - b.requests[i - 1].at <= 6s);
    }
    CHECK(ids.size() == b.requests.size());
    CHECK(a.counts().consent_received >= b.requests.size());
    a.close();
    b.requests.clear();
    co_await async::sleep_for(60s);
    CHECK(b.requests.empty());
  });
}

// req: 7675-5.1-d, 7675-5.1-e, 7675-5.1-m, 7675-5.1-r
TEST_CASE("a path that dies is called interrupted, and no longer used after 30 seconds, even if it comes back") {
  two w;
  with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
    co_await both_completed(w.a, w.b);
    co_await async::sleep_for(20s);
    w.net.partition(w.ha, w.hb);
    const auto begin = w.net.now();
    co_await wait_for(w.a, agent_state::disconnected);
    CHECK(w.net.now() - begin < 15s);
    CHECK(w.a.send(base::as_bytes("still allowed")));
    co_await wait_for(w.a, agent_state::failed);
    CHECK(w.net.now() - begin > 24s);
    CHECK(w.net.now() - begin <= 30s);
    CHECK(w.a.reason() == "consent expired: the peer has not answered for 30 s");
    CHECK_FALSE(w.a.send(base::as_bytes("no more")));
    w.net.heal(w.ha, w.hb);
    co_await async::sleep_for(60s);
    CHECK(w.a.state() == agent_state::failed);
    CHECK((co_await w.a.connected()).error() == make_error_code(errc::failed));
  });
}

// req: 7675-5.1-k
TEST_CASE("a path that comes back within 30 seconds goes on as if nothing had been") {
  two w;
  with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
    co_await both_completed(w.a, w.b);
    for (int i = 0; i < 3; ++i) {
      w.net.partition(w.ha, w.hb);
      co_await wait_for(w.a, agent_state::disconnected);
      co_await async::sleep_for(8s);
      w.net.heal(w.ha, w.hb);
      co_await both_completed(w.a, w.b);
      CHECK(w.a.reason() == "the peer answers again");
      co_await async::sleep_for(10s);
    }
    CHECK(w.a.send(base::as_bytes("x")));
  });
}

TEST_CASE("a fifth of all consent checks may stay unanswered without anything happening") {
  two w(4);
  with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
    co_await both_completed(w.a, w.b);
    w.net.all_links({.latency = 10ms, .loss = 0.1});
    co_await async::sleep_for(600s);
    CHECK(w.a.state() == agent_state::completed);
    CHECK(w.b.state() == agent_state::completed);
  });
}

// req: 7675-5.1-b, 7675-5.1-l
TEST_CASE("late answers renew consent; wrong ones do not") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  for (const bool genuine : {true, false}) {
    agent a(ha, {.controlling = true});
    scripted_peer b(hb);
    const auto wrong = stun::short_term_key("another password altogether");
    with_scripted(net, a, {&b}, [&]() -> async::task<> {
      a.set_remote(b.local);
      CHECK(a.add_remote_candidate(b.as_candidate()));
      co_await wait_for(a, agent_state::completed);
      b.answer = {};
      for (int i = 0; i < 12; ++i) {
        const auto seen = b.requests.size();
        co_await async::sleep_for(6s);
        if (a.state() == agent_state::failed) break;
        REQUIRE(b.requests.size() > seen);
        const auto& r = b.requests[seen];  // the oldest that is still open
        b.socket->send(r.from, encode_success(r.message().transaction_id(), r.from, genuine ? b.key : wrong));
      }
      CHECK((a.state() == agent_state::failed) != genuine);
    });
  }
}

// req: 7675-5.2-a
TEST_CASE("a signed 403 ends consent at once") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb);
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    CHECK(a.add_remote_candidate(b.as_candidate()));
    co_await wait_for(a, agent_state::completed);
    b.answer = [&](const scripted_peer::request& r) { b.answer_with_error(r, 403); };
    const auto begin = net.now();
    co_await wait_for(a, agent_state::failed);
    CHECK(net.now() - begin < 7s);
    CHECK_FALSE(a.send(base::as_bytes("x")));
  });
}

// req: 8863-4-a 8863-4-b 8863-4-c 8863-4-d 8863-5-b 8838-8-a 8838-8-b 8838-14-b
// req: 8445-7.2.5.4-a 8445-8.1.1-d
TEST_CASE("nothing fails before the peer had its time, and then it fails with the reason") {
  struct line {
    bool candidates, end;
    std::string_view reason;
  };
  for (const auto& l : {line{false, false, "the peer sent neither a candidate nor a check"},
                        line{false, true, "the peer sent neither a candidate nor a check"},
                        line{true, false, "no candidate pair works"}, line{true, true, "no candidate pair works"}}) {
    two w;
    with_silent_agents(w.net, w.a, w.b, [&]() -> async::task<> {
      co_await w.a.gathered();
      w.a.set_remote(w.b.local());
      const auto begin = w.net.now();
      if (l.candidates) CHECK(w.a.add_remote_candidate("1 1 udp 9 192.0.2.99 5 typ host"));
      if (l.end) w.a.remote_end_of_candidates();
      CHECK((co_await w.a.connected()).error() == make_error_code(errc::failed));
      CHECK(w.net.now() - begin == 39'500ms);
      CHECK(w.a.reason() == l.reason);
      // req: 8445-7.2.5.2.3-a
      if (l.candidates) CHECK(w.a.pairs()[0].outcome == "no answer");
    });
  }
}

// req: 8863-5-a
TEST_CASE("a peer that is late, but not too late, connects though all our checks have failed") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {});
  scripted_peer b(hb);
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    a.remote_end_of_candidates();
    co_await async::sleep_for(39s);
    CHECK(a.state() == agent_state::checking);
    CHECK(co_await b.check(a.local(), a.local_candidates()[0].address, true) == 0);
    co_await wait_for(a, agent_state::completed);
  });
}

TEST_CASE("a peer that gives the dead and the living one foundation connects all the same, half a second later") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb);
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    const auto begin = net.now();
    CHECK(a.add_remote_candidate("1 1 udp 2130706431 192.0.2.99 5000 typ host"));
    CHECK(a.add_remote_candidate(b.as_candidate(1000)));
    CHECK(co_await a.connected());
    CHECK(net.now() - begin <= 600ms);
  });
}

// req: 8445-14.2-a, 8445-6.1.4.2-c
TEST_CASE("checks leave one every 50 ms, from the address they belong to") {
  sim::network net(9);
  auto& ha = net.add_host("a", {"192.0.2.1", "192.0.2.3"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb), c(hb, 4001), d(hb, 4002);
  std::vector<std::pair<base::instant, base::endpoint>> seen;
  for (auto* p : {&b, &c, &d}) p->answer = [&](const scripted_peer::request& r) { seen.emplace_back(r.at, r.from); };
  with_scripted(net, a, {&b, &c, &d}, [&]() -> async::task<> {
    a.set_remote(b.local);
    for (auto* p : {&b, &c, &d}) CHECK(a.add_remote_candidate(p->as_candidate()));
    co_await async::sleep_for(400ms);
    CHECK(seen.size() == 6);
    for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i].first - seen[i - 1].first >= 50ms);
    std::set<base::endpoint> sources;
    for (const auto& [at, from] : seen) sources.insert(from);
    CHECK(sources == std::set<base::endpoint>{a.local_candidates()[0].address, a.local_candidates()[1].address});
  });
}

TEST_CASE("the same seed gives the same run, another seed another one") {
  const auto hash = [](std::uint64_t seed) {
    two w(seed);
    w.net.all_links({.latency = 10ms, .jitter = 5ms, .loss = 0.2});
    with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
      co_await both_completed(w.a, w.b);
      co_await async::sleep_for(60s);
    });
    return w.net.hash();
  };
  CHECK(hash(1) == hash(1));
  CHECK(hash(1) != hash(2));
}
