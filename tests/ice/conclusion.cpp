// What holds once checks have succeeded, and after the nomination.
#include <doctest/doctest.h>

#include "ice/priority.hpp"
#include "scripted_peer.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct world {
  explicit world(agent_config c = {}) : a(ha, std::move(c)) {}
  sim::network net{5};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  agent a;
  scripted_peer b{hb};
  base::endpoint to() const { return a.local_candidates().at(0).address; }
};

}  // namespace

// req: 8445-12.1-a 8445-7.2.5.3.3-a
TEST_CASE("data flows on a valid pair before anybody nominates it") {
  world w;
  inbox at_a(w.a);
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    CHECK(co_await w.a.connected());
    CHECK(w.a.state() == agent_state::connected);
    CHECK(w.a.pairs()[0].state == pair_state::succeeded);
    CHECK(w.a.pairs()[0].valid);
    CHECK_FALSE(w.a.pairs()[0].nominated);
    CHECK(w.a.send(base::as_bytes("early")));
    w.b.socket->send(w.to(), base::as_bytes("too"));
    co_await at_a.until(1);
    CHECK(w.b.data == std::vector<std::string>{"early"});
  });
}

// req: 8445-7.3.1.4-d 8445-7.3.1.4-c
TEST_CASE("a check from an unknown address is checked in return, and only until that has succeeded") {
  world w;
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(co_await w.b.check(w.a.local(), w.to()) == 0);
    co_await w.b.until_requests(1);
    REQUIRE(w.a.pairs().size() == 1);
    const auto expected = pair_priority(false, w.a.local_candidates()[0], w.a.pairs()[0].remote);
    CHECK(w.a.pairs()[0].priority == expected);
    CHECK(co_await w.a.connected());
    for (int i = 0; i < 5; ++i) CHECK(co_await w.b.check(w.a.local(), w.to()) == 0);
    co_await async::sleep_for(3s);
    CHECK(w.b.requests.size() == 1);
  });
}

// req: 8445-8.1.2-c 8445-8.3.1-a 8839-4.3.4-c
TEST_CASE("a completed session answers checks on every address for as long as it lives, and nominates no more") {
  sim::network net(5);
  auto& ha = net.add_host("a", {"192.0.2.1", "198.51.100.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb), stranger(hb, 4001);
  stranger.local = b.local;
  with_scripted(net, a, {&b, &stranger}, [&]() -> async::task<> {
    a.set_remote(b.local);
    CHECK(a.add_remote_candidate(b.as_candidate()));
    co_await wait_for(a, agent_state::completed);
    const auto selected = a.selected()->remote.address;
    co_await async::sleep_for(60s);
    for (const auto& c : a.local_candidates()) CHECK(co_await stranger.check(a.local(), c.address, false, {false, 1}) == 0);
    co_await async::sleep_for(5s);
    CHECK(stranger.requests.empty());
    CHECK(a.selected()->remote.address == selected);
    std::size_t nominations = 0;
    for (const auto& r : b.requests) nominations += r.check.use_candidate ? 1 : 0;
    CHECK(nominations == 1);
  });
}

// req: 8445-8.1.2-d
TEST_CASE("a session that failed is over: nothing is sent, and nothing that comes changes it") {
  world w({.controlling = true, .patience = 5s});
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    co_await wait_for(w.a, agent_state::failed);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()).error() == make_error_code(errc::closed));
    CHECK(co_await w.b.check(w.a.local(), w.to(), false, {false, 1}) == 0);
    co_await async::sleep_for(60s);
    CHECK(w.b.requests.empty());
    CHECK(w.a.state() == agent_state::failed);
    CHECK_FALSE(w.a.send(base::as_bytes("x")));
  });
}

// req: 8445-14.2-b 8445-14.2-c
TEST_CASE("another pace than the default is told to the peer, and both keep to the slower one") {
  world plain, fast({.pacing = 20ms});
  CHECK_FALSE(plain.a.local().pacing);
  CHECK(*fast.a.local().pacing == 20ms);
  for (const auto theirs : {20ms, 100ms}) {
    world w({.controlling = true, .pacing = 20ms});
    scripted_peer second(w.hb, 4001);
    w.b.answer = second.answer = {};
    w.b.local.pacing = theirs;
    with_scripted(w.net, w.a, {&w.b, &second}, [&]() -> async::task<> {
      w.a.set_remote(w.b.local);
      CHECK(w.a.add_remote_candidate(w.b.as_candidate(2000)));
      auto other = second.as_candidate(1000);
      other.foundation = "2";
      CHECK(w.a.add_remote_candidate(other));
      co_await w.b.until_requests(1);
      co_await second.until_requests(1);
      CHECK(second.requests[0].at - w.b.requests[0].at == theirs);
    });
  }
}

// req: 8445-7.2.5.2.3-a
TEST_CASE("a socket that fails takes its pairs with it, and the session if it has no other") {
  sim::network net(5);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true}), b(hb, {});
  with_agents(net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    ha.remove_address(ha.address());
    // Its packets go nowhere from now on: consent notices.
    co_await wait_for(a, agent_state::failed);
    co_await wait_for(b, agent_state::failed);
  });
}

TEST_CASE("numbers add up") {
  world w({.controlling = true});
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await wait_for(w.a, agent_state::completed);
    for (int i = 0; i < 10; ++i) CHECK(w.a.send(base::as_bytes("0123456789")));
    w.b.socket->send(w.to(), base::as_bytes("abc"));
    co_await async::sleep_for(1s);
    const auto& n = w.a.counts();
    CHECK(n.checks_sent == 2);  // the first, and the nominating one
    CHECK(n.checks_succeeded == 2);
    CHECK(n.checks_failed == 0);
    CHECK(n.retransmissions == 0);
    CHECK(n.datagrams_sent == 10);
    CHECK(n.bytes_sent == 100);
    CHECK(n.datagrams_received == 1);
    CHECK(n.bytes_received == 3);
    CHECK(*w.a.phases().connected - *w.a.phases().checks_began == 20ms);
    CHECK(*w.a.phases().completed - *w.a.phases().connected == 50ms);  // the next slot, and a round trip
  });
}
