// Checks that were overheard, and are sent again by somebody else.
#include <doctest/doctest.h>

#include "agents.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

TEST_CASE("a check that has arrived before is not answered to somebody else, and nobody asks him back") {
  sim::network net(5);
  net.all_links({.latency = 10ms});
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  auto& other = net.add_host("other", {"203.0.113.66"});
  std::vector<std::pair<base::endpoint, base::bytes>> overheard;
  std::size_t to_other = 0;
  net.tap([&](const sim::packet_event& e) {
    if (e.what != sim::packet_event::moment::sent || e.packet.protocol != sim::protocol::udp) return;
    if (e.packet.destination.address == other.address()) ++to_other;
    else if (e.packet.source.address != other.address()) overheard.emplace_back(e.packet.destination, e.packet.payload);
  });
  agent a(ha, {.controlling = true}), b(hb, {});
  with_agents(net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    co_await async::sleep_for(30s);
    auto socket = other.bind_udp({other.address(), 0});
    REQUIRE(socket);
    const auto all = overheard;
    for (const auto& [to, packet] : all) (*socket)->send(to, packet);
    co_await async::sleep_for(60s);
    CHECK(to_other == 0);
    CHECK(a.counts().requests_replayed + b.counts().requests_replayed > 10);
    CHECK(a.pairs().size() == 1);
  });
}

TEST_CASE("whoever sends a check before it arrives gets no more than an answer and two questions") {
  sim::network net(5);
  net.all_links({.latency = 10ms});
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  auto& other = net.add_host("other", {"203.0.113.66"});
  std::optional<std::pair<base::endpoint, base::bytes>> fresh;
  std::size_t octets = 0;
  bool listening = false;
  net.tap([&](const sim::packet_event& e) {
    if (e.what != sim::packet_event::moment::sent || e.packet.protocol != sim::protocol::udp) return;
    if (e.packet.destination.address == other.address()) octets += e.packet.payload.size();
    const bool check = !e.packet.payload.empty() && e.packet.payload[0] == 0 && e.packet.payload[1] == 1;
    if (listening && check && e.packet.source.address == ha.address()) fresh.emplace(e.packet.destination, e.packet.payload);
  });
  agent a(ha, {.controlling = true}), b(hb, {});
  with_agents(net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    auto socket = other.bind_udp({other.address(), 0});
    REQUIRE(socket);
    // The line between them loses what the other one overhears.
    net.partition(ha, hb);
    listening = true;
    while (!fresh) co_await async::sleep_for(10ms);
    (*socket)->send(fresh->first, fresh->second);
    co_await async::sleep_for(20s);
    CHECK(octets > 0);
    CHECK(octets * 10 <= fresh->second.size() * 27);
  });
}
