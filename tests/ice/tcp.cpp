// ICE over TCP (RFC 6544).
#include <doctest/doctest.h>

#include "ice/check_list.hpp"
#include "ice/priority.hpp"
#include "net/framed_streams.hpp"
#include "scripted_peer.hpp"

namespace strata::ice::testing {
namespace {

base::result<std::unique_ptr<net::udp_socket>> no_udp(const base::ip_address&, std::string_view) {
  return base::fail(base::errc::refused);
}
agent_config config(bool controlling, tcp_policy tcp, bool udp = false) {
  agent_config c{.controlling = controlling, .tcp = tcp};
  if (!udp) c.open_socket = no_udp;
  return c;
}

struct world {
  sim::network net{7};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
};

async::task<> both_ways(agent& a, agent& b) {
  inbox at_a(a), at_b(b);
  co_await both_completed(a, b);
  CHECK(a.send(base::as_bytes("there")));
  CHECK(b.send(base::as_bytes("back")));
  co_await at_a.until(1);
  co_await at_b.until(1);
  CHECK(at_b.received[0] == "there");
  CHECK(at_a.received[0] == "back");
}

candidate tcp(tcp_type t, std::uint16_t port, std::string_view address = "192.0.2.1") {
  candidate c;
  c.protocol = transport::tcp;
  c.tcptype = t;
  c.foundation = "1";
  c.priority = tcp_priority(c.type, t, 8191);
  c.address = c.base_address = {*base::ip_address::parse(address), port};
  return c;
}

}  // namespace

// req: 6544-4.2-b 6544-4.2-c 6544-4.2-d 6544-4.2-e
TEST_CASE("priorities of TCP candidates carry their direction, and stay below those of UDP") {
  using enum candidate_type;
  CHECK(tcp_local_preference(host, tcp_type::active, 8191) == (6 << 13) + 8191);
  CHECK(tcp_local_preference(host, tcp_type::passive, 8191) == (4 << 13) + 8191);
  CHECK(tcp_local_preference(relayed, tcp_type::simultaneous_open, 0) == 2 << 13);
  CHECK(tcp_local_preference(server_reflexive, tcp_type::simultaneous_open, 1) == (6 << 13) + 1);
  CHECK(tcp_local_preference(peer_reflexive, tcp_type::active, 1) == (4 << 13) + 1);
  CHECK(tcp_local_preference(server_reflexive, tcp_type::passive, 65535) == (2 << 13) + 8191);
  CHECK(tcp_priority(host, tcp_type::active, 8191) < candidate_priority(server_reflexive, 0));
  CHECK(tcp_priority(server_reflexive, tcp_type::passive, 0) > candidate_priority(relayed, 65535));
}

// req: 6544-6.2-a 6544-6.2-c
TEST_CASE("who connects is paired with who listens, and nobody with UDP") {
  using enum tcp_type;
  const auto pair = [](tcp_type l, tcp_type r) { return can_pair(tcp(l, 1000), tcp(r, 2000, "192.0.2.2")); };
  CHECK(pair(active, passive));
  CHECK(pair(passive, active));
  CHECK(pair(simultaneous_open, simultaneous_open));
  CHECK_FALSE(pair(active, active));
  CHECK_FALSE(pair(passive, passive));
  CHECK_FALSE(pair(active, simultaneous_open));
  CHECK_FALSE(pair(simultaneous_open, passive));
  auto udp = tcp(active, 1000);
  udp.protocol = transport::udp;
  udp.tcptype.reset();
  CHECK_FALSE(can_pair(udp, tcp(passive, 2000, "192.0.2.2")));
  CHECK_FALSE(can_pair(tcp(active, 1000), udp));
  auto untold = tcp(passive, 2000, "192.0.2.2");
  untold.tcptype.reset();
  CHECK_FALSE(can_pair(tcp(active, 1000), untold));
}

// req: 6544-6.2-b
TEST_CASE("what listens here makes no pair until somebody comes") {
  check_list list(100, true);
  CHECK_FALSE(list.add(tcp(tcp_type::passive, 1000), tcp(tcp_type::active, 9, "192.0.2.2")));
  CHECK(list.add(tcp(tcp_type::active, 9), tcp(tcp_type::passive, 2000, "192.0.2.2")));
}

// req: 6544-4.1-a 6544-4.1-b 6544-4.5-a 6544-4.5-b 6544-5.1-a
TEST_CASE("an address has a candidate that connects, with port 9, one that listens, and one that does both") {
  world w;
  agent a(w.ha, config(true, tcp_policy::all, true)), b(w.hb, {});
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    std::vector<std::string> lines;
    for (const auto& c : a.local_candidates()) lines.push_back(format(c));
    REQUIRE(lines.size() == 4);
    int active = 0, passive = 0, both = 0;
    for (const auto& l : lines) {
      active += l.find(" 192.0.2.1 9 typ host tcptype active") != std::string::npos ? 1 : 0;
      passive += l.find(" typ host tcptype passive") != std::string::npos ? 1 : 0;
      both += l.find(" typ host tcptype so") != std::string::npos ? 1 : 0;
    }
    CHECK(active == 1);
    CHECK(passive == 1);
    CHECK(both == 1);
    for (const auto& c : b.local_candidates()) CHECK(c.protocol == transport::udp);
  });
}

// req: 6544-3-a 6544-7.1-a 6544-7.1-d 6544-7.2-a 6544-10.1-a
TEST_CASE("peers without UDP connect over TCP, whichever of them listens") {
  for (const auto& [at_a, at_b] :
       {std::pair(tcp_policy::active, tcp_policy::all), std::pair(tcp_policy::all, tcp_policy::active),
        std::pair(tcp_policy::all, tcp_policy::all)}) {
    world w;
    agent a(w.ha, config(true, at_a)), b(w.hb, config(false, at_b));
    with_agents(w.net, a, b, [&]() -> async::task<> {
      co_await both_ways(a, b);
      CHECK(a.selected()->remote.protocol == transport::tcp);
      CHECK(a.selected()->local.protocol == transport::tcp);
      co_await async::sleep_for(120s);
      CHECK(a.state() == agent_state::completed);
      CHECK(b.state() == agent_state::completed);
    });
  }
}

TEST_CASE("UDP is preferred to TCP") {
  world w;
  agent a(w.ha, config(true, tcp_policy::all, true)), b(w.hb, config(false, tcp_policy::all, true));
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await both_ways(a, b);
    CHECK(a.selected()->local.protocol == transport::udp);
    CHECK(b.selected()->local.protocol == transport::udp);
  });
}

// req: 6544-7.1-b
TEST_CASE("a connection that is refused fails its pair at once") {
  world w;
  agent a(w.ha, config(true, tcp_policy::active)), b(w.hb, config(false, tcp_policy::active));
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    a.set_remote(b.local());
    CHECK(a.add_remote_candidate(tcp(tcp_type::passive, 2000, "192.0.2.2")));
    co_await async::sleep_for(1s);
    REQUIRE(a.pairs().size() == 1);
    CHECK(a.pairs()[0].state == pair_state::failed);
  });
}

// req: 6544-7.1-c
TEST_CASE("a check over TCP is sent once") {
  world w;
  auto listener = net::framed_streams::open(w.hb, {w.hb.address(), 2000}, {});
  REQUIRE(listener);
  agent a(w.ha, config(true, tcp_policy::active)), b(w.hb, config(false, tcp_policy::active));
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("listener", [&] { return (*listener)->run(); });
      co_await a.gathered();
      a.set_remote(b.local());
      CHECK(a.add_remote_candidate(tcp(tcp_type::passive, 2000, "192.0.2.2")));
      co_await async::sleep_for(20s);
      CHECK(a.counts().checks_sent == 1);
      CHECK(a.counts().retransmissions == 0);
      CHECK(a.state() == agent_state::checking);
    });
  });
}

// req: 7675-5.1-p
TEST_CASE("consent is asked for over TCP as well, and runs out when nobody answers") {
  world w;
  agent a(w.ha, config(true, tcp_policy::all)), b(w.hb, config(false, tcp_policy::all));
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await both_completed(a, b);
    const auto before = a.counts().consent_received;
    co_await async::sleep_for(60s);
    CHECK(a.counts().consent_received >= before + 9);
    CHECK(a.state() == agent_state::completed);
    w.net.partition(w.ha, w.hb);
    const auto cut = w.net.now();
    co_await wait_for(a, agent_state::failed);
    CHECK(w.net.now() - cut <= 36s);
  });
}

// req: 6544-4.5-c
TEST_CASE("TCP candidates are of no use to whoever has not asked for them, or without a direction") {
  world w;
  agent a(w.ha, {.controlling = true}), b(w.hb, config(false, tcp_policy::active));
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    CHECK(a.add_remote_candidate(tcp(tcp_type::passive, 2000, "192.0.2.2")).error() ==
          make_error_code(errc::unsupported_transport));
    auto untold = tcp(tcp_type::passive, 2000, "192.0.2.1");
    untold.tcptype.reset();
    CHECK_FALSE(b.add_remote_candidate(untold));
  });
}

// req: 6544-7.2-a
TEST_CASE("a stranger's connection makes no pair") {
  world w;
  agent a(w.ha, config(true, tcp_policy::all)), b(w.hb, config(false, tcp_policy::active));
  with_silent_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    a.set_remote(b.local());
    const auto& all = a.local_candidates();
    const auto at = std::ranges::find(all, tcp_type::passive, &candidate::tcptype);
    REQUIRE(at != all.end());
    for (const auto* text : {"GET / HTTP/1.1\r\n\r\n", "\0\0", "\377\377zzzz"}) {
      auto s = co_await w.hb.connect_tcp(at->address);
      REQUIRE(s);
      (void)co_await (*s)->write(base::as_bytes(text));
      co_await async::sleep_for(1s);
    }
    CHECK(a.pairs().empty());
  });
}

}  // namespace strata::ice::testing
