// Simultaneous open (RFC 6544 §4.1, §6.2, §7.1), and what is closed afterwards (§11.1).
#include <doctest/doctest.h>

#include "agents.hpp"

namespace strata::ice::testing {
namespace {

agent_config over_tcp(bool controlling) {
  agent_config c{.controlling = controlling, .tcp = tcp_policy::all};
  c.open_socket = [](const base::ip_address&, std::string_view) -> base::result<std::unique_ptr<net::udp_socket>> {
    return base::fail(base::errc::refused);
  };
  return c;
}

struct world {
  sim::network net{7};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
};

const candidate* simultaneous(const std::vector<candidate>& all) {
  const auto at = std::ranges::find(all, tcp_type::simultaneous_open, &candidate::tcptype);
  return at == all.end() ? nullptr : &*at;
}

std::size_t connections(const sim::host& h) {
  std::size_t udp = 0, streams = 0, listeners = 0;
  h.count(udp, streams, listeners);
  return streams;
}

}  // namespace

// req: 6544-4.1-a 6544-4.1-b 6544-6.2-a 6544-7.1-a 6544-10.1-a
TEST_CASE("peers that open simultaneously meet in one connection, between the ports they have signaled") {
  for (const auto later : {0ms, 5ms, 400ms}) {
    world w;
    agent a(w.ha, over_tcp(true)), b(w.hb, over_tcp(false));
    with_silent_agents(w.net, a, b, [&]() -> async::task<> {
      co_await a.gathered();
      co_await b.gathered();
      const auto ours = a.local_candidates(), theirs = b.local_candidates();
      const auto *at_a = simultaneous(ours), *at_b = simultaneous(theirs);
      REQUIRE(at_a != nullptr);
      REQUIRE(at_b != nullptr);
      CHECK(at_a->address.port != 9);
      inbox in_a(a), in_b(b);
      a.set_remote(b.local());
      b.set_remote(a.local());
      CHECK(a.add_remote_candidate(*at_b));
      co_await async::sleep_for(later);
      CHECK(b.add_remote_candidate(*at_a));
      co_await both_completed(a, b);
      CHECK(a.selected()->local.tcptype == tcp_type::simultaneous_open);
      CHECK(a.selected()->local.address == at_a->address);
      CHECK(a.selected()->remote.address == at_b->address);
      CHECK(b.selected()->remote.address == at_a->address);
      CHECK(a.pairs().size() == 1);
      CHECK(connections(w.ha) == 1);
      CHECK(connections(w.hb) == 1);
      CHECK(a.send(base::as_bytes("there")));
      CHECK(b.send(base::as_bytes("back")));
      co_await in_a.until(1);
      co_await in_b.until(1);
      CHECK(in_b.received[0] == "there");
      CHECK(in_a.received[0] == "back");
    });
  }
}

// A pair of one direction fails late where a firewall swallows it.
TEST_CASE("a simultaneous-open candidate shares no foundation with the other ones of its address") {
  world w;
  agent a(w.ha, over_tcp(true)), b(w.hb, over_tcp(false));
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    const auto all = a.local_candidates();
    const auto* so = simultaneous(all);
    REQUIRE(so != nullptr);
    CHECK(std::ranges::count(all, so->foundation, &candidate::foundation) == 1);
  });
}

// req: 6544-8-a 6544-11.1-a
TEST_CASE("after the nomination only the connection of the selected pair is open, and it stays") {
  world w;
  agent a(w.ha, over_tcp(true)), b(w.hb, over_tcp(false));
  with_agents(w.net, a, b, [&]() -> async::task<> {
    std::size_t most = 0;
    while (a.state() != agent_state::completed) {
      most = std::max(most, connections(w.ha));
      co_await async::sleep_for(1ms);
    }
    CHECK(most > 1);  // or there is nothing to close
    co_await both_completed(a, b);
    co_await async::sleep_for(5s);
    CHECK(connections(w.ha) == 1);
    CHECK(connections(w.hb) == 1);
    co_await async::sleep_for(120s);
    CHECK(connections(w.ha) == 1);
    CHECK(a.counts().nominations == 1);
    CHECK(a.state() == agent_state::completed);
    CHECK(b.state() == agent_state::completed);
  });
}

}  // namespace strata::ice::testing
