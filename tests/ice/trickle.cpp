#include <doctest/doctest.h>

#include "ice/priority.hpp"
#include "scripted_peer.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct world {
  sim::network net{3};
  sim::host& ha = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2", "2001:db8::2"});
};

// Gives one side's candidates to the other at once, in a description's text.
async::task<> give_all(agent& from, agent& to) {
  co_await from.gathered();
  for (const auto& c : from.local_candidates()) CHECK(to.add_remote_candidate(std::string_view(format(c))));
  to.remote_end_of_candidates();
}

}  // namespace

// req: 8838-4-a, 8838-5-b, 8838-7-a
TEST_CASE("candidates may all be trickled, both ways, after both descriptions") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    a.set_remote(b.local());
    b.set_remote(a.local());
    co_await async::sleep_for(3s);
    CHECK(a.state() == agent_state::checking);
    CHECK(a.pairs().empty());
    co_await give_all(a, b);
    co_await async::sleep_for(1s);
    co_await give_all(b, a);
    co_await both_completed(a, b);
  });
}

// req: 8838-16-a, 8838-3-a
TEST_CASE("half trickle: the offer has everything, the answer's candidates follow") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await give_all(a, b);
    b.set_remote(a.local());
    a.set_remote(b.local());
    co_await give_all(b, a);
    co_await both_completed(a, b);
  });
}

// req: 8838-5-a
TEST_CASE("without trickle the descriptions have everything") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await give_all(a, b);
    b.set_remote(a.local());
    co_await give_all(b, a);
    a.set_remote(b.local());
    co_await both_completed(a, b);
  });
}

// req: 8838-10-b, 8838-11-a
TEST_CASE("candidates that come before the description are kept and paired later") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await give_all(b, a);
    CHECK(a.pairs().empty());
    CHECK(a.state() == agent_state::idle);
    a.set_remote(b.local());
    CHECK(a.pairs().size() == 2);
    b.set_remote(a.local());
    co_await both_completed(a, b);
  });
}

TEST_CASE("one side is never told of any candidate, and is found by its checks") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    a.set_remote(b.local());
    b.set_remote(a.local());
    co_await give_all(a, b);
    co_await both_completed(a, b);
    CHECK(a.selected()->remote.type == candidate_type::peer_reflexive);
    // req: 8445-7.3.1.3-a
    CHECK(a.selected()->remote.priority == candidate_priority(candidate_type::peer_reflexive, 65535));
    CHECK(a.selected()->remote.foundation.starts_with("prflx"));
  });
}

// req: 8838-9-c, 8838-14-a, 8445-19.5.1-b
TEST_CASE("candidates of another generation or component, over TCP, after the end, or too many are ignored and counted") {
  world w;
  agent a(w.ha, {.max_remote_candidates = 3}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    const auto add = [&](std::string_view line) { return a.add_remote_candidate(line); };
    co_await a.gathered();
    CHECK(add("1 1 udp 9 192.0.2.2 5 typ host ufrag old"));  // cannot be judged yet
    auto d = b.local();
    d.ufrag = "new1";
    a.set_remote(d);
    CHECK(a.pairs().empty());
    CHECK(add("1 1 udp 9 192.0.2.2 5 typ host ufrag old").error() == make_error_code(errc::not_for_us));
    CHECK(add("1 2 udp 9 192.0.2.2 5 typ host").error() == make_error_code(errc::not_for_us));
    CHECK(add("1 1 tcp 9 192.0.2.2 9 typ host tcptype active").error() == make_error_code(errc::unsupported_transport));
    CHECK(add("1 1 udp 9 host.example 5 typ host").error() == make_error_code(errc::unsupported_address));
    CHECK(add("1 1 udp 9 0.0.0.0 5 typ host").error() == make_error_code(errc::unsupported_address));
    CHECK(add("1 1 udp 9 224.0.0.251 5353 typ host").error() == make_error_code(errc::unsupported_address));
    CHECK(add("nonsense").error() == make_error_code(errc::malformed));
    CHECK(add("1 1 udp 9 192.0.2.2 5 typ host ufrag new1"));
    CHECK(add("1 1 udp 9 192.0.2.2 6 typ host"));
    CHECK(add("1 1 udp 9 192.0.2.2 7 typ host"));
    CHECK(add("1 1 udp 9 192.0.2.2 8 typ host").error() == make_error_code(errc::too_many));
    CHECK(add(""));
    CHECK(add("1 1 udp 9 192.0.2.2 9 typ host").error() == make_error_code(errc::not_for_us));
    CHECK(a.pairs().size() == 3);
    CHECK(a.counts().dropped_candidates == 10);
  });
}

// req: 8838-11-c
TEST_CASE("a candidate that is signaled after its check came takes the discovered one's place") {
  sim::network net(3);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {});
  scripted_peer b(hb);
  b.answer = {};
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    a.set_remote(b.local);
    CHECK(co_await b.check(a.local(), a.local_candidates()[0].address) == 0);
    REQUIRE(a.pairs().size() == 1);
    CHECK(a.pairs()[0].remote.type == candidate_type::peer_reflexive);
    CHECK(a.add_remote_candidate(b.as_candidate()));
    REQUIRE(a.pairs().size() == 1);
    CHECK(a.pairs()[0].remote.type == candidate_type::host);
    CHECK(a.pairs()[0].remote.priority == 1862270975);
  });
}

// req: 8838-13-b, 8838-13-c
TEST_CASE("local candidates come once each, best first within their kind, and then end") {
  world w;
  agent a(w.ha, {}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    std::vector<std::string> found;
    while (const auto c = co_await a.next_local_candidate()) found.push_back(c->address.address.to_string());
    CHECK(found == std::vector<std::string>{"2001:db8::1", "192.0.2.1"});
    CHECK_FALSE(co_await a.next_local_candidate());
    CHECK(a.phases().gathering_ended);
  });
}

TEST_CASE("a second, different description is not taken") {
  world w;
  recorder trace;
  agent a(w.ha, {}, {trace, "a"}), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    a.set_remote(b.local());
    a.set_remote(b.local());
    CHECK_FALSE(trace.has("a new session needs a new agent"));
    a.set_remote({"abcd", "0123456789012345678901"});
    CHECK(trace.has("a new session needs a new agent"));
    co_return;
  });
}
