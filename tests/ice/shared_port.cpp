// Several agents on one port of one machine.
#include "ice/shared_port.hpp"

#include <doctest/doctest.h>

#include "agents.hpp"
#include "ice/check_message.hpp"
#include "stun/short_term.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

agent_config sharing(shared_ports& ports, agent_config c = {}) {
  c.open_socket = [&ports](const base::ip_address& local, std::string_view ufrag) { return ports.open(local, ufrag); };
  return c;
}

// Both agents, and the signaling between them, until the scope is left.
void start(async::scope& s, agent& a, agent& b) {
  s.spawn("agent", [&a] { return a.run(); });
  s.spawn("agent", [&b] { return b.run(); });
  s.spawn("signaling", describe, std::ref(a), std::ref(b), base::duration(20ms));
  s.spawn("candidates", trickle, std::ref(a), std::ref(b), base::duration(20ms));
  s.spawn("candidates", trickle, std::ref(b), std::ref(a), base::duration(20ms));
}

async::task<> tell(agent& from, inbox& to, std::string text) {
  const auto before = to.received.size();
  CHECK(from.send(base::as_bytes(text)));
  co_await to.until(before + 1);
  CHECK(to.received.back() == text);
}

template <class F>
void in_scope(sim::network& net, F body) {
  net.run([](F body) -> async::task<> { co_await async::with_scope(async::at_end::cancel, std::move(body)); }(std::move(body)));
}

}  // namespace

TEST_CASE("agents behind one port each find their own peer, and everybody's data is their own") {
  sim::network net(11);
  auto &h = net.add_host("hub", {"192.0.2.1", "2001:db8::1"}), &x = net.add_host("x", {"192.0.2.2"}),
       &y = net.add_host("y", {"2001:db8::3"});
  shared_ports ports(h, 7000);
  agent a(h, sharing(ports, {.controlling = true})), b(h, sharing(ports)), px(x, {}), py(y, {.controlling = true});
  inbox at_a(a), at_b(b), at_x(px), at_y(py);
  in_scope(net, [&](async::scope& s) -> async::task<> {
    s.spawn("ports", [&] { return ports.run(); });
    start(s, a, px);
    start(s, py, b);
    co_await both_completed(a, px);
    co_await both_completed(b, py);
    CHECK(ports.ports() == 2);
    CHECK(a.selected()->local.address.port == 7000);
    CHECK(b.selected()->local.address.port == 7000);
    for (int n = 0; n < 3; ++n) {
      co_await tell(px, at_a, "x to a");
      co_await tell(py, at_b, "y to b");
      co_await tell(a, at_x, "a to x");
      co_await tell(b, at_y, "b to y");
    }
    co_await async::sleep_for(60s);  // consent goes on
    co_await tell(px, at_a, "x to a");
    CHECK(b.state() == agent_state::completed);
  });
  CHECK(at_a.received.size() == 4);
  CHECK(at_b.received.size() == 3);
}

TEST_CASE("a second agent between the same two ports takes the path over from the first, with nothing lost") {
  sim::network net(12);
  auto &ha = net.add_host("a", {"192.0.2.1"}), &hb = net.add_host("b", {"192.0.2.2"});
  shared_ports pa(ha, 7000), pb(hb, 7000);
  auto a1 = std::make_unique<agent>(ha, sharing(pa, {.controlling = true})), b1 = std::make_unique<agent>(hb, sharing(pb));
  agent a2(ha, sharing(pa, {.controlling = true})), b2(hb, sharing(pb));
  inbox at_a1(*a1), at_b1(*b1), at_a2(a2), at_b2(b2);
  in_scope(net, [&](async::scope& s) -> async::task<> {
    s.spawn("ports", [&] { return pa.run(); });
    s.spawn("ports", [&] { return pb.run(); });
    start(s, *a1, *b1);
    co_await both_completed(*a1, *b1);
    co_await tell(*a1, at_b1, "first");
    co_await tell(*b1, at_a1, "first");
    start(s, a2, b2);
    co_await both_completed(a2, b2);
    CHECK(a2.selected()->remote.address == a1->selected()->remote.address);
    // The first goes on as long as the second says nothing.
    co_await tell(*a1, at_b1, "still the first");
    co_await tell(*b1, at_a1, "still the first");
    // b moves; a has said nothing on the new one yet, and the old one goes.
    b1->close();
    a1->close();
    co_await async::sleep_for(1s);
    co_await tell(b2, at_a2, "second");
    co_await tell(a2, at_b2, "second");
  });
}

TEST_CASE("a flood of what is nobody's is counted and dropped, and the agents talk on") {
  sim::network net(13);
  auto &h = net.add_host("hub", {"192.0.2.1"}), &x = net.add_host("x", {"192.0.2.2"}), &m = net.add_host("m", {"203.0.113.9"});
  shared_port port(h, *h.bind_udp({h.address(), 7000}));
  agent_config c{.controlling = true};
  c.open_socket = [&](const base::ip_address&, std::string_view ufrag) { return port.share(ufrag); };
  agent a(h, c), px(x, {});
  inbox at_a(a), at_x(px);
  in_scope(net, [&](async::scope& s) -> async::task<> {
    s.spawn("port", [&] { return port.run(); });
    start(s, a, px);
    co_await both_completed(a, px);
    const auto before = port.counted().nobodys;
    auto attacker = *m.bind_udp({m.address(), 0});
    const auto request = encode_check({.username = "nobody:here", .sender = {}}, {}, stun::short_term_key("guess"));
    const auto answer = encode_success({}, port.local_endpoint(), stun::short_term_key("guess"));
    for (int n = 0; n < 300; ++n) {
      attacker->send(port.local_endpoint(), request);
      attacker->send(port.local_endpoint(), answer);
      attacker->send(port.local_endpoint(), base::as_bytes("data that nobody asked for"));
      attacker->send(port.local_endpoint(), {});
      attacker->send(port.local_endpoint(), base::bytes(1200, static_cast<std::uint8_t>(n)));
      co_await async::sleep_for(1ms);
    }
    co_await async::sleep_for(100ms);
    CHECK(port.counted().nobodys - before == 1500);
    CHECK(port.table().claims() == 1);
    CHECK(attacker->counters().received == 0);
    co_await tell(a, at_x, "hello");
    co_await tell(px, at_a, "hello");
  });
  CHECK(port.table().sharers() == 0);
}

TEST_CASE("who does not receive loses what does not fit, and nobody else does") {
  sim::network net(14);
  auto &h = net.add_host("hub", {"192.0.2.1"}), &x = net.add_host("x", {"192.0.2.2"});
  shared_port port(h, *h.bind_udp({h.address(), 7000}), {.inbox_bytes = 10000});
  auto lazy = *port.share("lazy"), busy = *port.share("busy");
  auto one = *x.bind_udp({x.address(), 1}), two = *x.bind_udp({x.address(), 2});
  in_scope(net, [&](async::scope& s) -> async::task<> {
    s.spawn("port", [&] { return port.run(); });
    CHECK(lazy->send(one->local_endpoint(), base::as_bytes("mine")));
    CHECK(busy->send(two->local_endpoint(), base::as_bytes("mine")));
    for (int n = 0; n < 50; ++n) {
      one->send(port.local_endpoint(), base::bytes(1000, 'l'));
      two->send(port.local_endpoint(), base::bytes(1000, 'b'));
      const auto got = co_await busy->receive();
      REQUIRE(got);
      REQUIRE(got->size() == 1);
      CHECK(got->front().payload.size() == 1000);
      CHECK(got->front().peer == two->local_endpoint());
    }
    CHECK(lazy->counters().received < 10);
    CHECK(lazy->counters().received + port.counted().inbox_full == 50);
    CHECK(busy->counters().received == 50);
    const auto got = co_await lazy->receive();
    REQUIRE(got);
    CHECK(got->size() == lazy->counters().received);
  });
}

TEST_CASE("when the port ends everybody who shares it is told, and it may be destroyed before them") {
  sim::network net(15);
  auto& h = net.add_host("hub", {"192.0.2.1"});
  auto port = std::make_unique<shared_port>(h, *h.bind_udp({h.address(), 7000}));
  auto one = *port->share("onee");
  in_scope(net, [&](async::scope& s) -> async::task<> {
    s.spawn("ending", [&]() -> async::task<> {
      (void)co_await async::with_timeout(1s, port->run());
      CHECK(port->share("twoo").error() == base::errc::closed);
      port.reset();
    });
    CHECK((co_await one->receive()).error() == base::errc::closed);
    co_await async::sleep_for(1s);
    one->send({h.address(), 9}, base::as_bytes("into the void"));
  });
}

TEST_CASE("an address that cannot be bound is no address of anybody, and an agent's name is taken once for each") {
  sim::network net(16);
  auto& h = net.add_host("hub", {"192.0.2.1", "192.0.2.3"});
  shared_ports ports(h, 7000);
  CHECK_FALSE(ports.open(base::ip_address::v4(192, 0, 2, 99), "onee"));
  auto one = ports.open(h.address(0), "onee"), other = ports.open(h.address(1), "onee");
  CHECK(one);
  CHECK(other);
  CHECK(ports.open(h.address(0), "onee").error() == base::errc::in_use);
  CHECK((*one)->local_endpoint() == base::endpoint{h.address(0), 7000});
  one->reset();
  CHECK(ports.open(h.address(0), "onee"));
}

// req: 8489-6.2.1-j
TEST_CASE("gathering from a server whose port is closed ends at once, on a port of one's own and on a shared one") {
  for (const bool shared : {false, true}) {
    sim::network net(17);
    auto &h = net.add_host("hub", {"192.0.2.1"}), &dead = net.add_host("dead", {"192.0.2.9"});
    shared_ports ports(h, 7000);
    agent_config c{.stun_servers = {{dead.address(), 3478}}};
    agent a(h, shared ? sharing(ports, c) : c);
    const auto began = net.now();
    in_scope(net, [&](async::scope& s) -> async::task<> {
      s.spawn("ports", [&] { return ports.run(); });
      s.spawn("agent", [&] { return a.run(); });
      co_await a.gathered();
      CHECK(net.now() - began < 200ms);
    });
  }
}
