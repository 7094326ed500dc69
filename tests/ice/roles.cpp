#include <doctest/doctest.h>

#include "scripted_peer.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

void conflict(bool both_controlling) {
  sim::network net(11);
  auto& ha = net.add_host("a", {"192.0.2.1", "192.0.2.11"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = both_controlling}), b(hb, {.controlling = both_controlling});
  with_agents(net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    CHECK(a.controlling() != b.controlling());
    CHECK(a.counts().role_conflicts + b.counts().role_conflicts > 0);
    CHECK(a.selected()->local.address == b.selected()->remote.address);
  });
}

}  // namespace

// req: 8445-7.3.1.1-a, 8445-6.1.1-a
TEST_CASE("two sides that both want to control agree on one") { conflict(true); }
TEST_CASE("two sides that both expect to be controlled agree on one") { conflict(false); }

// req: 8445-7.2.5.1-a, 8445-7.2.5.1-b, 8445-7.2.5.1-c, 8445-16.1-a
TEST_CASE("a peer that insists with 487 is given its role, and checked again with another tie-breaker") {
  for (const bool controlling : {true, false}) {
    sim::network net(11);
    auto& ha = net.add_host("a", {"192.0.2.1"});
    auto& hb = net.add_host("b", {"192.0.2.2"});
    agent a(ha, {.controlling = controlling});
    scripted_peer b(hb);
    b.answer = [&](const scripted_peer::request& r) {
      if (r.check.sender->controlling == controlling) b.answer_with_error(r, 487);
      else b.answer_with_success(r);
    };
    with_scripted(net, a, {&b}, [&]() -> async::task<> {
      a.set_remote(b.local);
      CHECK(a.add_remote_candidate(b.as_candidate()));
      CHECK(co_await a.connected());
      CHECK(a.controlling() == !controlling);
      REQUIRE(b.requests.size() >= 2);
      CHECK(b.requests[0].check.sender->controlling == controlling);
      CHECK(b.requests[1].check.sender->controlling == !controlling);
      CHECK(b.requests[0].check.sender->tie_breaker != b.requests[1].check.sender->tie_breaker);
      for (std::size_t i = 2; i < b.requests.size(); ++i)
        CHECK(b.requests[i].check.sender->tie_breaker == b.requests[1].check.sender->tie_breaker);
    });
  }
}

TEST_CASE("a peer with our role and the smaller tie-breaker is told 487, one with the larger gets the role") {
  sim::network net(11);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb);
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    co_await async::sleep_for(1ms);
    const auto to = a.local_candidates()[0].address;
    CHECK(co_await b.check(a.local(), to, false, {true, 0}) == 487);
    CHECK(a.controlling());
    CHECK(co_await b.check(a.local(), to, false, {true, UINT64_MAX}) == 0);
    CHECK_FALSE(a.controlling());
    CHECK(co_await b.check(a.local(), to, false, {false, 0}) == 0);
    CHECK(a.controlling());
    CHECK(co_await b.check(a.local(), to, false, {false, UINT64_MAX}) == 0);
    CHECK(a.controlling());
  });
}

// req: 8445-6.1.1-b, 8445-8.2-a
TEST_CASE("a lite peer makes us controlling, only answers, and is told what to use without delay") {
  sim::network net(11);
  auto& ha = net.add_host("a", {"192.0.2.1", "192.0.2.11"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = false});
  scripted_peer b(hb);
  b.local.lite = true;
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    CHECK(a.controlling());
    const auto begin = net.now();
    CHECK(a.add_remote_candidate(b.as_candidate()));
    co_await wait_for(a, agent_state::completed);
    CHECK(net.now() - begin <= 100ms);
    CHECK(b.requests.back().check.use_candidate);
    CHECK(a.send(base::as_bytes("data")));
    co_await b.next();
    CHECK(b.data == std::vector<std::string>{"data"});
  });
}
