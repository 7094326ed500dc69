// Discovery through every kind of NAT: a real server of RFC 5780, a real client, and a simulated router in between.
#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/binding_server.hpp"
#include "stun/discovery/discover.hpp"
#include "stun/discovery/measure_lifetime.hpp"
#include "stun/discovery/nat_print.hpp"
#include "stun/error.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

using sim::dependence;
constexpr std::uint16_t port = 3478;

struct behind {
  explicit behind(sim::router_behaviour b, std::uint64_t seed = 1, double loss = 0)
      : network(seed),
        router(network.add_router("router", std::move(b), {base::ip_address::v4(203, 0, 113, 9)})),
        client(network.add_host_behind(router, "client", {"192.168.1.7"})),
        machine(network.add_host("server", {"198.51.100.1", "198.51.100.2"})),
        plain(network.add_host("plain", {"198.51.100.3"})) {
    network.all_links({.latency = 15ms, .loss = loss});
    network.start("server", serve(machine));
    network.start("plain", serve_plain(plain));
  }
  explicit behind(const sim::nat_behaviour& n, std::uint64_t seed = 1, double loss = 0)
      : behind(sim::router_behaviour{.nat = n}, seed, loss) {}
  static async::task<> serve(sim::host& machine) {
    binding_server server(machine, {});
    auto sockets = discovery_sockets::bind(machine, {machine.address(0), port}, {machine.address(1), port + 1});
    const auto listener = machine.listen_tcp({machine.address(0), port});
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("tcp", [&]() -> async::task<> { co_await server.serve_tcp(**listener); });
      co_await server.serve_discovery(*sockets);
    });
  }
  static async::task<> serve_plain(sim::host& machine) {
    binding_server server(machine, {});
    const auto socket = machine.bind_udp({machine.address(0), port});
    co_await server.serve_udp(**socket);
  }
  nat_report discover(bool lifetime = false) {
    network.set_limit(3h);
    return network.run(discover_nat(client, {.servers = {{machine.address(0), port}}, .lifetime = lifetime}));
  }

  sim::network network;
  sim::router& router;
  sim::host& client;
  sim::host& machine;
  sim::host& plain;
};

constexpr std::array all_kinds{dependence::endpoint_independent, dependence::address_dependent,
                               dependence::address_and_port_dependent};

}  // namespace

// req: 5780-4.3-a 5780-4.4-a
TEST_CASE("every mapping with every filtering is found out for what it is") {
  constexpr std::array mappings{mapping_kind::endpoint_independent, mapping_kind::address_dependent,
                                mapping_kind::address_and_port_dependent};
  constexpr std::array filterings{filtering_kind::endpoint_independent, filtering_kind::address_dependent,
                                  filtering_kind::address_and_port_dependent};
  for (std::size_t m = 0; m < 3; ++m)
    for (std::size_t f = 0; f < 3; ++f) {
      behind nat(sim::nat_behaviour{.mapping = all_kinds[m], .filtering = all_kinds[f]});
      const auto begin = nat.network.now();
      const auto r = nat.discover();
      CAPTURE(as_line(r));
      CHECK(r.mapping == mappings[m]);
      CHECK(r.filtering == filterings[f]);
      CHECK(r.udp == finding::yes);
      CHECK(r.local.address.to_string() == "192.168.1.7");
      CHECK(r.mapped->address.to_string() == "203.0.113.9");
      CHECK(nat.network.now() - begin < 10s);
    }
}

TEST_CASE("packet loss makes no other NAT of it") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    behind nat(sim::nat_behaviour{.filtering = dependence::address_dependent}, seed, 0.05);
    CHECK(to_string(nat.discover().name()) == "restricted cone");
  }
}

TEST_CASE("how the NAT gives out ports is seen") {
  for (const auto& [ports, kind] : {std::pair{sim::port_allocation::preserving, port_kind::preserving},
                                    {sim::port_allocation::sequential, port_kind::sequential},
                                    {sim::port_allocation::random, port_kind::random}}) {
    behind nat(sim::nat_behaviour{.ports = ports});
    CHECK(nat.discover().ports == kind);
  }
}

TEST_CASE("hairpinning is found even where filtering is strict, and missed where it is missing") {
  for (const bool hairpin : {true, false})
    for (const auto filtering : all_kinds) {
      behind nat(sim::nat_behaviour{.filtering = filtering, .hairpin = hairpin});
      CHECK(nat.discover().hairpin == (hairpin ? finding::yes : finding::no));
    }
}

TEST_CASE("where UDP is blocked TCP tells so") {
  behind nat(sim::router_behaviour{.nat = sim::nat_behaviour{}, .firewall = {.udp = false}});
  const auto r = nat.discover();
  CHECK(to_string(r.name()) == "UDP blocked");
  CHECK(r.servers[0].tcp);
}

TEST_CASE("two servers without RFC 5780 tell a cone from a symmetric NAT, and no more") {
  for (const auto mapping : all_kinds) {
    behind nat(sim::nat_behaviour{.mapping = mapping});
    auto& other = nat.network.add_host("other", {"198.51.100.4"});
    nat.network.start("other", behind::serve_plain(other));
    const auto r =
        nat.network.run(discover_nat(nat.client, {.servers = {{nat.plain.address(0), port}, {other.address(0), port}}}));
    CHECK(to_string(r.name()) == (mapping == dependence::endpoint_independent ? "cone" : "symmetric"));
    CHECK(r.filtering == filtering_kind::unknown);
  }
}

TEST_CASE("the lifetime of mappings is measured to within a few seconds") {
  for (const auto truth : {25s, 120s, 290s}) {
    behind nat(sim::nat_behaviour{.mapping_timeout = truth});
    const auto r = nat.discover(true);
    REQUIRE(r.lifetime);
    CAPTURE(truth.count());
    CHECK(r.lifetime->at_least <= truth);
    CHECK(r.lifetime->at_most >= truth - 1s);
    CHECK(r.lifetime->at_most - r.lifetime->at_least <= 20s);
  }
  behind patient(sim::nat_behaviour{.mapping_timeout = 2h});
  const auto r = patient.discover(true);
  REQUIRE(r.lifetime);
  CHECK(r.lifetime->at_least == 10min);
  CHECK(r.lifetime->at_most == 0s);
}

// req: 5780-5-a
TEST_CASE("a server that refuses RESPONSE-PORT cannot measure lifetimes, and that is all") {
  behind nat(sim::nat_behaviour{});
  const auto r = nat.network.run(measure_lifetime(nat.client, {nat.plain.address(0), port}, 10min));
  CHECK(r.error().code == response_error(420));
  const auto report = nat.network.run(discover_nat(nat.client, {.servers = {{nat.plain.address(0), port}}, .lifetime = true}));
  CHECK_FALSE(report.lifetime);
  CHECK(report.mapped);
}
