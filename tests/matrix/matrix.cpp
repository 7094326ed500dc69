// Every place toward every place: real agents, real TURN, simulated NATs. The tier that ought to be found is found, in time;
// the table is printed, and docs/nat.md keeps it.
#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "async/async.hpp"
#include "ice/agent.hpp"
#include "ladder.hpp"
#include "rtc/turn_relay.hpp"
#include "sim/place.hpp"
#include "turn/server/relay_server.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

constexpr auto signaling_delay = 25ms;  // one way, through a registry
constexpr base::duration direct_bound = 1200ms, relay_bound = 1800ms;

struct outcome {
  bool linked = false;
  sim::tier tier = sim::tier::relay;
  std::string local, remote;   // candidate types of the pair, as a sees it
  base::duration connected{};  // both can send
  bool data = false;
};

turn::server::config relay_config(sim::host& h) {
  turn::server::config c;
  for (const auto& a : {h.address(0), h.address(1)}) {
    c.udp.push_back({a, 3478});
    c.tcp.push_back({a, 3478});
    c.tcp.push_back({a, 443});
    c.relay.push_back({a});
  }
  c.users["user"] = "secret";
  c.peers = turn::server::peer_policy::everything();
  return c;
}

async::task<ice::agent_config> config_for(sim::host& h) {
  ice::agent_config c;
  const auto addresses = co_await h.resolve("server");
  REQUIRE(addresses);
  for (const auto& a : *addresses) c.stun_servers.push_back({a, 3478});
  using over = turn::server_transport;
  const std::vector<turn::server_info> servers{{"server", 3478, over::udp, "user", "secret", {}},
                                               {"server", 3478, over::tcp, "user", "secret", {}},
                                               {"server", 443, over::tcp, "user", "secret", {}}};
  c.relays = rtc::relay_sources(h, servers, {});
  co_return c;
}

async::task<> trickle(ice::agent& from, ice::agent& to) {
  while (const auto c = co_await from.next_local_candidate()) {
    co_await async::sleep_for(signaling_delay);
    (void)to.add_remote_candidate(*c);
  }
  to.remote_end_of_candidates();
}

async::task<> settled(ice::agent& a) {
  while (a.state() != ice::agent_state::completed) co_await a.next_state(a.state());
}

async::task<bool> carries(ice::agent& from, ice::agent& to) {
  async::event arrived;
  to.on_datagram = [&](base::byte_view d) {
    if (base::as_text(d) == "data") arrived.set();
  };
  from.send(base::as_bytes("data"));
  const bool ok =
      (co_await async::with_timeout(1s, [](async::event& e) -> async::task<> { co_await e.wait(); }(arrived))).has_value();
  to.on_datagram = {};
  co_return ok;
}

async::task<> meet(sim::network& net, sim::host& ha, sim::host& hb, outcome& out) {
  auto ca = co_await config_for(ha);
  auto cb = co_await config_for(hb);
  ca.controlling = true;
  ice::agent a(ha, std::move(ca)), b(hb, std::move(cb));
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    const auto began = net.now();
    s.spawn("a", [&a] { return a.run(); });
    s.spawn("b", [&b] { return b.run(); });
    s.spawn("candidates of a", trickle, std::ref(a), std::ref(b));
    s.spawn("candidates of b", trickle, std::ref(b), std::ref(a));
    co_await async::sleep_for(signaling_delay);
    b.set_remote(a.local());
    co_await async::sleep_for(signaling_delay);
    a.set_remote(b.local());
    out.linked = (co_await a.connected()).has_value() && (co_await b.connected()).has_value();
    out.connected = net.now() - began;
    if (!out.linked) co_return;
    co_await async::all_of(settled(a), settled(b));
    co_await async::sleep_for(500ms);
    const auto pair = a.selected();
    REQUIRE(pair);
    const bool relayed = pair->local.type == ice::candidate_type::relayed || pair->remote.type == ice::candidate_type::relayed;
    out.tier = relayed ? sim::tier::relay : sim::tier::direct;
    out.local = ice::to_string(pair->local.type);
    out.remote = ice::to_string(pair->remote.type);
    const bool there = co_await carries(a, b);
    out.data = there && co_await carries(b, a);
  });
}

using tap = std::function<void(const sim::packet_event&)>;

outcome run_cell(sim::place_kind a, sim::place_kind b, std::uint64_t seed, tap listener = {}) {
  sim::network net(seed);
  if (listener) net.tap(std::move(listener));
  net.all_links({.latency = 20ms, .jitter = 2ms});
  auto& server = net.add_host("server", {"198.51.100.1", "2001:db8:ffff::1"});
  auto& ha = sim::put(net, a, "a", 1);
  auto& hb = sim::put(net, b, "b", 2);
  outcome out;
  net.run([](sim::network& net, sim::host& server, sim::host& ha, sim::host& hb, outcome& out) -> async::task<> {
    turn::server::relay_server relay(server, relay_config(server));
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      co_await meet(net, ha, hb, out);
    });
  }(net, server, ha, hb, out));
  return out;
}

}  // namespace

TEST_CASE("every place finds every other by the best way there is, in time") {
  std::map<std::pair<sim::place_kind, sim::place_kind>, outcome> table;
  for (const auto a : sim::all_places)
    for (const auto b : sim::all_places) {
      const std::string cell = std::string(to_string(a)) + " -> " + std::string(to_string(b));
      CAPTURE(cell);
      const auto out = run_cell(a, b, 1 + static_cast<std::uint64_t>(a) * 100 + static_cast<std::uint64_t>(b));
      CHECK(out.linked);
      CHECK(out.data);
      CHECK(to_string(out.tier) == to_string(sim::best_tier(a, b)));
      CHECK(out.connected <= (out.tier == sim::tier::direct ? direct_bound : relay_bound));
      table[{a, b}] = out;
    }
  // Rows: who calls; columns: who answers, by number. One cell: pair and milliseconds.
  std::printf("| calls \\ answers |");
  for (std::size_t n = 1; n <= sim::all_places.size(); ++n) std::printf(" %zu |", n);
  std::printf("\n|---|");
  for (std::size_t n = 0; n < sim::all_places.size(); ++n) std::printf("---|");
  for (std::size_t n = 0; n < sim::all_places.size(); ++n) {
    std::printf("\n| %zu %s |", n + 1, std::string(to_string(sim::all_places[n])).c_str());
    for (const auto b : sim::all_places) {
      const auto& out = table[{sim::all_places[n], b}];
      std::printf(" %s-%s %lld |", out.local.c_str(), out.remote.c_str(),
                  static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(out.connected).count()));
    }
  }
  std::printf("\n");
}

TEST_CASE("a hole is punched packet by packet: the first check opens the own NAT and dies at the other, the next one passes") {
  test::ladder steps;
  bool died = false, passed_after = false;
  const auto server = *base::ip_address::parse("198.51.100.1");
  const auto out =
      run_cell(sim::place_kind::port_restricted, sim::place_kind::port_restricted, 4, [&](const sim::packet_event& e) {
        steps.saw(e);
        const auto& p = e.packet;
        if (p.protocol != sim::protocol::udp || p.source.address == server || p.destination.address == server) return;
        if (e.what == sim::packet_event::moment::dropped && (e.reason == "filtered" || e.reason == "no mapping")) died = true;
        if (e.what == sim::packet_event::moment::delivered && died) passed_after = true;
      });
  CHECK(out.tier == sim::tier::direct);
  CHECK(died);
  CHECK(passed_after);
  steps.print("hole-punching", 60);
}

TEST_CASE("two symmetric NATs meet at the relay") {
  test::ladder steps;
  const auto out = run_cell(sim::place_kind::symmetric_random, sim::place_kind::symmetric_random, 4,
                            [&](const sim::packet_event& e) { steps.saw(e); });
  CHECK(out.tier == sim::tier::relay);
  CHECK(out.data);
  steps.print("relay", 60);
}
