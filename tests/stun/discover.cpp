// Discovery from end to end: real servers and a real client, on a simulated network.
#include "stun/discovery/discover.hpp"

#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/binding_server.hpp"
#include "stun/discovery/nat_print.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 3478;

// A server of RFC 5780 on a host with two addresses, and a plain one on a host with one.
async::task<> serve_discovery(sim::host& machine) {
  binding_server server(machine, {});
  auto sockets = discovery_sockets::bind(machine, {machine.address(0), port}, {machine.address(1), port + 1});
  const auto listener = machine.listen_tcp({machine.address(0), port});
  REQUIRE(sockets);
  co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
    s.spawn("tcp", [&]() -> async::task<> { co_await server.serve_tcp(**listener); });
    co_await server.serve_discovery(*sockets);
  });
}

async::task<> serve_plain(sim::host& machine) {
  binding_server server(machine, {});
  const auto socket = machine.bind_udp({machine.address(0), port});
  co_await server.serve_udp(**socket);
}

// Answers every request with `code`.
async::task<> serve_error(sim::host& machine, int code) {
  const auto socket = machine.bind_udp({machine.address(0), port});
  for (;;) {
    const auto batch = co_await (*socket)->receive();
    if (!batch) co_return;
    for (const auto& d : *batch) {
      const auto m = message_view::parse(d.payload);
      if (!m) continue;
      base::bytes out;
      message_writer w(out, {message_class::error, method::binding}, m->transaction_id());
      w.add(error_code{code, {}});
      if (code == 300) w.add(alternate_server{*base::endpoint::parse("198.51.100.9:3478")});
      (*socket)->send(d.peer, out);
    }
  }
}

// Claims to be a server of RFC 5780 and answers everything from where it was asked.
async::task<> serve_liar(sim::host& machine) {
  const auto socket = machine.bind_udp({machine.address(0), port});
  const auto second = machine.bind_udp({machine.address(1), port});
  for (;;) {
    const auto batch = co_await (*socket)->receive();
    if (!batch) co_return;
    for (const auto& d : *batch) {
      const auto m = message_view::parse(d.payload);
      if (!m) continue;
      base::bytes out;
      message_writer w(out, {message_class::success, method::binding}, m->transaction_id());
      w.add(xor_mapped_address{d.peer}).add(other_address{{machine.address(1), port + 1}});
      (*socket)->send(d.peer, out);
    }
  }
}

}  // namespace

TEST_CASE("a machine on the open Internet") {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9", "2001:db8::9"});
  auto& server = net.add_host("server", {"198.51.100.1", "198.51.100.2"});
  auto& plain = net.add_host("plain", {"198.51.100.3", "2001:db8:1::3"});
  net.all_links({.latency = 20ms});
  net.start("server", serve_discovery(server));
  net.start("plain", serve_plain(plain));
  const auto begin = net.now();
  const auto r = net.run(discover_nat(client, {.servers = {{plain.address(0), port}, {server.address(0), port}}}));
  CHECK(net.now() - begin < 2s);
  CHECK(to_string(r.name()) == "open internet");
  CHECK(r.mapping == mapping_kind::no_nat);
  CHECK(r.filtering == filtering_kind::endpoint_independent);
  CHECK(r.preserves_port == finding::yes);
  CHECK(r.ports == port_kind::preserving);
  CHECK(r.second_nat == finding::no);
  CHECK(r.rewrites_addresses == finding::no);
  CHECK(r.hairpin == finding::unknown);
  CHECK(r.ipv6 == finding::unknown);
  REQUIRE(r.servers.size() == 2);
  CHECK_FALSE(r.servers[0].discovery);
  CHECK(r.servers[1].discovery);
  CHECK(r.servers[1].rtt == 40ms);
}

TEST_CASE("a network that loses packets is no other kind of NAT") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::network net{seed};
    auto& client = net.add_host("client", {"203.0.113.9"});
    auto& server = net.add_host("server", {"198.51.100.1", "198.51.100.2"});
    net.all_links({.latency = 30ms, .loss = 0.1});
    net.start("server", serve_discovery(server));
    CAPTURE(seed);
    CHECK(to_string(net.run(discover_nat(client, {.servers = {{server.address(0), port}}})).name()) == "open internet");
  }
}

TEST_CASE("without servers, or with dead ones, the machine is offline after a few seconds") {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9"});
  auto& dead = net.add_host("dead", {"198.51.100.1"});
  net.set_down(dead);
  const auto begin = net.now();
  const auto r = net.run(discover_nat(client, {.servers = {{dead.address(0), port}, {dead.address(0), port}}}));
  CHECK(to_string(r.name()) == "offline");
  CHECK(r.servers.size() == 1);
  CHECK(net.now() - begin < 10s);
  CHECK(to_string(net.run(discover_nat(client, {})).name()) == "unknown");
}

// req: 5780-5-e
TEST_CASE("a redirection is not followed, an error is no answer") {
  for (const int code : {300, 400, 420, 500}) {
    sim::network net{1};
    auto& client = net.add_host("client", {"203.0.113.9"});
    auto& server = net.add_host("server", {"198.51.100.1"});
    auto& other = net.add_host("other", {"198.51.100.9"});
    int asked = 0;
    net.tap([&](const sim::packet_event& e) { asked += e.packet.destination.address == other.address(0) ? 1 : 0; });
    net.start("server", serve_error(server, code));
    const auto r = net.run(discover_nat(client, {.servers = {{server.address(0), port}}}));
    CHECK(asked == 0);
    CHECK(r.mapping == mapping_kind::unknown);
    REQUIRE(r.servers.size() == 1);
    CHECK_FALSE(r.servers[0].trouble.empty());
  }
}

// req: 5780-5-b
TEST_CASE("a server that does not change its address on request proves no open filter") {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9"});
  auto& server = net.add_host("server", {"198.51.100.1", "198.51.100.2"});
  net.start("server", serve_liar(server));
  const auto r = net.run(discover_nat(client, {.servers = {{server.address(0), port}}}));
  CHECK(r.mapping == mapping_kind::no_nat);
  CHECK(r.filtering == filtering_kind::unknown);
}

// req: 5780-5-f 5780-7.2-a
TEST_CASE("not more than ten transactions begin in a second, and the flags are on the wire as the RFC draws them") {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9"});
  auto& server = net.add_host("server", {"198.51.100.1", "198.51.100.2"});
  std::vector<base::instant> begun;
  std::vector<std::string> flags;
  net.tap([&](const sim::packet_event& e) {
    if (e.what != sim::packet_event::moment::sent || e.packet.source.address != client.address(0)) return;
    begun.push_back(net.now());
    const auto m = message_view::parse(e.packet.payload);
    if (m && m->has(attribute_type::change_request))
      flags.push_back(std::to_string(m->find(attribute_type::change_request)->value[3]));
  });
  net.start("server", serve_discovery(server));
  std::vector<base::endpoint> many;
  for (std::uint16_t n = 0; n < 30; ++n) many.push_back({server.address(0), static_cast<std::uint16_t>(port + (n % 2))});
  (void)net.run(discover_nat(client, {.servers = many}));
  CHECK(begun.size() >= 9);
  for (std::size_t n = 10; n < begun.size(); ++n) CHECK(begun[n] - begun[n - 10] >= 1s);
  CHECK(flags == std::vector<std::string>{"6", "2"});
}

// req: 5780-5-c
TEST_CASE("FINGERPRINT is sent and demanded where a socket carries other traffic, too") {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9"});
  auto& server = net.add_host("server", {"198.51.100.1", "198.51.100.2"});
  int with = 0, without = 0;
  net.tap([&](const sim::packet_event& e) {
    if (e.what != sim::packet_event::moment::sent) return;
    const auto m = message_view::parse(e.packet.payload);
    if (m) ++(check_fingerprint(*m) == fingerprint_check::valid ? with : without);
  });
  net.start("server", serve_discovery(server));
  discovery_config c{.servers = {{server.address(0), port}}};
  c.probes.fingerprint = true;
  CHECK(to_string(net.run(discover_nat(client, c)).name()) == "open internet");
  CHECK(with > 10);
  CHECK(without == 0);
}
