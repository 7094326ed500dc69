// The NAT as a table, row by row of RFC 4787's terms.
#include "sim/nat.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace strata;
using namespace strata::sim;
using namespace std::chrono_literals;
using enum dependence;

namespace {

const auto inside = *base::endpoint::parse("10.0.0.2:4000");
const auto outside = *base::ip_address::parse("203.0.113.1");
const auto a = *base::endpoint::parse("192.0.2.1:1000"), a2 = *base::endpoint::parse("192.0.2.1:1001"),
           b = *base::endpoint::parse("192.0.2.2:1000");
constexpr base::instant noon = base::instant(12h);

nat_table make(nat_behaviour n) { return {n, {outside}, generator(1)}; }
std::optional<base::endpoint> out(nat_table& n, const base::endpoint& to, base::instant now = noon) {
  return n.outbound(protocol::udp, inside, to, base::ip_family::v4, now);
}

}  // namespace

TEST_CASE("a mapping depends on the destination as far as the behaviour says") {
  struct row {
    dependence mapping;
    bool same_for_other_port, same_for_other_host;
  };
  for (const auto& r : {row{endpoint_independent, true, true}, row{address_dependent, true, false},
                        row{address_and_port_dependent, false, false}}) {
    auto n = make({.mapping = r.mapping});
    const auto first = out(n, a);
    REQUIRE(first);
    CHECK((out(n, a2) == first) == r.same_for_other_port);
    CHECK((out(n, b) == first) == r.same_for_other_host);
    CHECK(out(n, a) == first);
  }
}

TEST_CASE("what comes in depends on what went out as far as the behaviour says") {
  struct row {
    dependence filtering;
    bool other_port, other_host;
  };
  for (const auto& r : {row{endpoint_independent, true, true}, row{address_dependent, true, false},
                        row{address_and_port_dependent, false, false}}) {
    auto n = make({.filtering = r.filtering});
    const auto mapped = *out(n, a);
    const auto comes_in = [&](const base::endpoint& from) {
      return n.inbound(protocol::udp, mapped, from, noon).inside == std::optional(inside);
    };
    CHECK(comes_in(a));
    CHECK(comes_in(a2) == r.other_port);
    CHECK(comes_in(b) == r.other_host);
    CHECK(n.inbound(protocol::tcp, mapped, a, noon).dropped == "no mapping");
    CHECK(n.inbound(protocol::udp, {outside, 9}, a, noon).dropped == "no mapping");
  }
}

TEST_CASE("ports are kept, counted or drawn, and never given twice") {
  auto keeps = make({.ports = port_allocation::preserving});
  CHECK(out(keeps, a)->port == inside.port);
  const auto second = keeps.outbound(protocol::udp, *base::endpoint::parse("10.0.0.3:4000"), a, base::ip_family::v4, noon);
  CHECK(second->port != inside.port);
  auto counts = make({.mapping = address_and_port_dependent, .ports = port_allocation::sequential});
  CHECK(out(counts, a2)->port + 1 == out(counts, b)->port);
  auto draws = make({.mapping = address_and_port_dependent, .ports = port_allocation::random});
  std::set<std::uint16_t> seen;
  for (std::uint16_t p = 1; p <= 2000; ++p) seen.insert(out(draws, {b.address, p})->port);
  CHECK(seen.size() == 2000);
}

TEST_CASE("a mapping lives as long as something goes out") {
  auto n = make({.mapping_timeout = 30s});
  const auto mapped = *out(n, a);
  CHECK(n.inbound(protocol::udp, mapped, a, noon + 29s).inside);
  CHECK(n.inbound(protocol::udp, mapped, a, noon + 31s).dropped == "no mapping");  // what came in refreshed nothing
  out(n, a, noon);
  out(n, a, noon + 29s);
  CHECK(n.inbound(protocol::udp, mapped, a, noon + 58s).inside);
  CHECK(n.mappings() == 1);
}

TEST_CASE("a reboot forgets everything, and another address is used at once") {
  auto n = make({});
  const auto mapped = *out(n, a);
  n.forget_all();
  CHECK(n.inbound(protocol::udp, mapped, a, noon).dropped == "no mapping");
  n.set_outside({*base::ip_address::parse("203.0.113.2")});
  CHECK(out(n, a)->address.to_string() == "203.0.113.2");
  CHECK_FALSE(n.outbound(protocol::udp, inside, a, base::ip_family::v6, noon));
}

namespace {
using enum segment_kind;
struct passed {
  bool outward;
  segment_kind kind;
};
constexpr passed handshake[] = {{true, open}, {false, accepted}};
}  // namespace

TEST_CASE("a TCP mapping lasts as long as the phase of its connection says") {
  struct row {
    std::vector<passed> then;
    base::duration lasts;
  };
  for (const auto& r : {
           row{{}, 124min}, row{{{true, data}, {false, credit}}, 124min}, row{{{true, end}}, 124min},  // half-closed is open
           row{{{false, end}, {false, data}}, 124min}, row{{{true, end}, {false, end}}, 4min},
           row{{{false, end}, {true, data}, {true, end}}, 4min}, row{{{true, reset}}, 4min}, row{{{false, reset}}, 4min},
           row{{{true, reset}, {true, open}, {false, accepted}}, 124min},  // the same ports again
           row{{{true, end}, {false, end}, {true, open}}, 4min},           // nobody has answered yet
       }) {
    auto n = make({});
    auto now = noon;
    std::optional<base::endpoint> mapped;
    const auto pass = [&](const passed& p) {
      now += 1s;
      if (p.outward) mapped = n.outbound(protocol::tcp, inside, a, base::ip_family::v4, now, p.kind);
      else CHECK(n.inbound(protocol::tcp, *mapped, a, now, p.kind).inside == std::optional(inside));
    };
    for (const auto& p : handshake) pass(p);
    for (const auto& p : r.then) pass(p);
    auto before = n, after = n;
    CHECK(before.inbound(protocol::tcp, *mapped, a, now + r.lasts - 1s).inside);
    CHECK(after.inbound(protocol::tcp, *mapped, a, now + r.lasts).dropped == "no mapping");
    CHECK(after.mappings() == 0);
  }
}

TEST_CASE("a TCP mapping that nobody answered lasts four minutes, and one that both opened at once two hours") {
  auto n = make({});
  const auto mapped = *n.outbound(protocol::tcp, inside, a, base::ip_family::v4, noon, open);
  auto silent = n;
  CHECK(silent.inbound(protocol::tcp, mapped, a, noon + 4min, data).dropped == "no mapping");
  CHECK(n.inbound(protocol::tcp, mapped, a, noon + 1s, open).inside);
  CHECK(n.inbound(protocol::tcp, mapped, a, noon + 2h, data).inside);
}

TEST_CASE("a TCP mapping that several connections share ends with the last, and each lets in its own peer only") {
  auto n = make({});
  const auto mapped = *n.outbound(protocol::tcp, inside, a, base::ip_family::v4, noon, open);
  CHECK(n.outbound(protocol::tcp, inside, b, base::ip_family::v4, noon, open) == mapped);
  for (const auto& peer : {a, b}) CHECK(n.inbound(protocol::tcp, mapped, peer, noon, accepted).inside);
  CHECK(n.inbound(protocol::tcp, mapped, a2, noon, open).dropped == "filtered");
  CHECK(n.inbound(protocol::tcp, mapped, a, noon, reset).inside);
  CHECK(n.inbound(protocol::tcp, mapped, a, noon + 5min).dropped == "filtered");
  CHECK(n.inbound(protocol::tcp, mapped, b, noon + 5min).inside);
}
