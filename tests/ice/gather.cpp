#include <doctest/doctest.h>

#include "scripted_peer.hpp"
#include "stun/binding_server.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

constexpr std::uint16_t stun_port = 3478;

async::task<> run_server(net::host& h) {
  stun::binding_server server(h, {});
  auto socket = *h.bind_udp({h.interfaces().back().address, stun_port});
  co_await server.serve_udp(*socket);
}

// A server that sees its clients behind a NAT: the port is theirs, the address is not.
async::task<> run_server_outside(net::host& h, base::ip_address at, base::ip_address outside, int& asked) {
  auto socket = *h.bind_udp({at, stun_port});
  for (;;) {
    const auto batch = co_await socket->receive();
    for (const auto& d : *batch) {
      ++asked;
      const auto m = *stun::message_view::parse(d.payload);
      base::bytes answer;
      stun::message_writer(answer, {stun::message_class::success, stun::method::binding}, m.transaction_id())
          .add(stun::xor_mapped_address{{outside, d.peer.port}});
      socket->send(d.peer, answer);
    }
  }
}

template <class Body>
void run_beside(sim::network& net, std::vector<std::function<async::task<>()>> beside, Body body) {
  net.run([](std::vector<std::function<async::task<>()>>& beside, Body& body) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      for (auto& b : beside) s.spawn("beside", b);
      co_await body();
    });
  }(beside, body));
}

std::string described(const agent& a) {
  std::string text;
  for (const auto& c : a.local_candidates())
    text += std::string(text.empty() ? "" : ", ") + std::string(to_string(c.type)) + ' ' + c.address.address.to_string();
  return text;
}

}  // namespace

// req: 8445-5.1.1.2-a, 8445-5.1.3-a, 8838-9-a
TEST_CASE("a server that sees the address we have adds no candidate; one that sees another does") {
  sim::network net(2);
  auto& ha = net.add_host("a", {"10.0.0.1"});
  auto& plain = net.add_host("plain", {"192.0.2.9"});
  auto& far = net.add_host("far", {"192.0.2.10"});
  const auto outside = base::ip_address::v4(203, 0, 113, 1);
  int asked = 0;
  agent a(ha, {.stun_servers = {{plain.address(), stun_port}, {far.address(), stun_port}}});
  run_beside(net,
             {[&] { return a.run(); }, [&] { return run_server(plain); },
              [&] { return run_server_outside(far, far.address(), outside, asked); }},
             [&]() -> async::task<> {
               co_await a.gathered();
               CHECK(described(a) == "host 10.0.0.1, srflx 203.0.113.1");
               const auto host = a.local_candidates()[0], reflexive = a.local_candidates()[1];
               CHECK(reflexive.base_address == host.address);
               CHECK(*reflexive.related == host.address);
               CHECK(reflexive.address.port == host.address.port);
               CHECK((reflexive.priority >> 24) == 100);
               CHECK(reflexive.foundation != host.foundation);
               CHECK(parse_candidate(format(reflexive))->related == host.address);
               CHECK(asked == 1);
               // req: 8445-5.1.1.4-a, 8445-5.1.1.4-b
               co_await async::sleep_for(60s);
               CHECK(asked >= 4);
             });
}

// req: 8445-5.1.1.2-c, 8445-5.1.2.1-d
TEST_CASE("several servers that see several addresses give candidates of different priority") {
  sim::network net(2);
  auto& ha = net.add_host("a", {"10.0.0.1"});
  auto& far = net.add_host("far", {"192.0.2.10", "192.0.2.11", "192.0.2.12"});
  int asked = 0;
  agent a(ha, {.stun_servers = {{far.address(0), stun_port}, {far.address(1), stun_port}, {far.address(2), stun_port}}});
  const auto o1 = base::ip_address::v4(203, 0, 113, 1), o2 = base::ip_address::v4(203, 0, 113, 2);
  run_beside(net,
             {[&] { return a.run(); }, [&] { return run_server_outside(far, far.address(0), o1, asked); },
              [&] { return run_server_outside(far, far.address(1), o2, asked); },
              [&] { return run_server_outside(far, far.address(2), o1, asked); }},
             [&]() -> async::task<> {
               co_await a.gathered();
               CHECK(described(a) == "host 10.0.0.1, srflx 203.0.113.1, srflx 203.0.113.2");
               CHECK(a.local_candidates()[1].priority != a.local_candidates()[2].priority);
               CHECK(asked == 3);
             });
}

// req: 8838-13-d, 8445-5.1.1.2-e
TEST_CASE("a dead server delays the end of candidates and nothing else") {
  sim::network net(2);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true, .stun_servers = {*base::endpoint::parse("192.0.2.99:3478")}});
  agent b(hb, {});
  std::vector<base::instant> questions;
  net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::sent && e.packet.destination.port == stun_port) questions.push_back(e.time);
  });
  with_agents(net, a, b, [&]() -> async::task<> {
    const auto begin = net.now();
    co_await both_completed(a, b);
    CHECK(net.now() - begin < 300ms);
    co_await a.gathered();
    CHECK(net.now() - begin == 5s);
    REQUIRE(questions.size() == 4);  // at 0, 0.5, 1.5, 3.5 s
    CHECK(questions[1] - questions[0] == 500ms);
  });
}

// req: 8838-13-e 8838-13-g
TEST_CASE("what a server says too late is no candidate any more") {
  for (const bool connected : {true, false}) {
    sim::network net(2);
    auto& ha = net.add_host("a", {"10.0.0.1"});
    auto& hb = net.add_host("b", {"10.0.0.2"});
    auto& far = net.add_host("far", {"192.0.2.10"});
    net.link(ha, far, {.latency = connected ? 1s : 3s});
    int asked = 0;
    const auto outside = base::ip_address::v4(203, 0, 113, 1);
    agent a(ha, {.controlling = true, .stun_servers = {{far.address(), stun_port}}}), b(hb, {});
    run_beside(net, {[&] { return run_server_outside(far, far.address(), outside, asked); }, [&] { return a.run(); }},
               [&]() -> async::task<> {
                 if (!connected) {
                   co_await async::sleep_for(20s);
                 } else {
                   co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
                     s.spawn("b", [&b] { return b.run(); });
                     s.spawn("candidates of a", trickle, std::ref(a), std::ref(b), 1ms);
                     s.spawn("candidates of b", trickle, std::ref(b), std::ref(a), 1ms);
                     co_await describe(a, b, 1ms);
                     co_await both_completed(a, b);
                     co_await async::sleep_for(10s);
                   });
                 }
                 CHECK(asked > 0);
                 CHECK(described(a) == "host 10.0.0.1");
               });
  }
}

// req: 8445-19.1-a
TEST_CASE("interfaces can be chosen, IPv6 switched off, loopback admitted") {
  sim::network net(2);
  auto& h = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  h.add_address("wlan0", "198.51.100.1/24");
  const auto gathered = [&](agent_config c) {
    agent a(h, std::move(c));
    std::string text;
    run_beside(net, {[&] { return a.run(); }}, [&]() -> async::task<> {
      co_await a.gathered();
      text = described(a);
    });
    return text;
  };
  CHECK(gathered({}) == "host 2001:db8::1, host 192.0.2.1, host 198.51.100.1");
  CHECK(gathered({.ipv6 = false}) == "host 192.0.2.1, host 198.51.100.1");
  CHECK(gathered({.interfaces = {.allow = {"wlan0"}, .deny = {}}}) == "host 198.51.100.1");
  CHECK(gathered({.allow_loopback = true}).find("127.0.0.1") != std::string::npos);
  CHECK(gathered({.max_addresses = 1}) == "host 2001:db8::1");
}

TEST_CASE("two agents on a machine whose only interface is loopback connect when that is allowed") {
  sim::network net(2);
  auto& h = net.add_host("lonely", std::initializer_list<std::string_view>{});
  agent a(h, {.controlling = true, .allow_loopback = true}), b(h, {.allow_loopback = true});
  with_agents(net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    CHECK(a.selected()->remote.address.address.is_loopback());
  });
}

TEST_CASE("a machine without any usable address says so") {
  sim::network net(2);
  auto& h = net.add_host("lonely", std::initializer_list<std::string_view>{});
  agent a(h, {});
  run_beside(net, {[&] { return a.run(); }}, [&]() -> async::task<> {
    co_await a.gathered();
    a.set_remote({"abcd", "0123456789012345678901"});
    CHECK_FALSE(co_await a.connected());
    CHECK(a.reason() == "this machine has no usable address");
  });
}
