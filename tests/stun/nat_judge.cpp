// What observations mean: every row of the tables is a NAT, or a server that makes trouble.
#include "stun/discovery/nat_judge.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace strata;
using namespace strata::stun;

namespace {

base::endpoint at(std::string_view text) { return *base::endpoint::parse(text); }
base::ip_address ip(std::string_view text) { return *base::ip_address::parse(text); }

const auto server = at("198.51.100.1:3478"), other = at("198.51.100.2:3479");
const std::vector<base::ip_address> home{ip("127.0.0.1"), ip("192.168.1.7")};

// "203.0.113.9:4000": answered with that mapping; "-": silence; "420", "broken": refused, failed; "": not asked.
observation seen(probe_kind kind, std::string_view what, unsigned socket = 0, base::endpoint to = server,
                 std::string_view local = "0.0.0.0:4000") {
  observation o;
  o.asked = {kind, socket, to};
  o.local = at(local);
  if (what == "-") return o;
  if (what == "420" || what == "broken") {
    o.result = what == "420" ? probe_result::refused : probe_result::failed;
    o.trouble = what;
    return o;
  }
  o.result = probe_result::answered;
  o.mapped = at(what);
  return o;
}

observation first(std::string_view what, bool discovery = true) {
  auto o = seen(probe_kind::mapping_1, what);
  if (discovery) o.other = other;
  return o;
}

void add(std::vector<observation>& all, probe_kind kind, std::string_view what) {
  if (!what.empty()) all.push_back(seen(kind, what));
}

}  // namespace

// req: 5780-4.3-a 5780-4.4-a
TEST_CASE("mapping and filtering by the tests of the RFC") {
  using m = mapping_kind;
  using f = filtering_kind;
  struct row {
    std::string_view mapping_1, mapping_2, mapping_3, filtering_2, filtering_3;
    mapping_kind mapping;
    filtering_kind filtering;
    std::string_view name;
  };
  constexpr auto own = "192.168.1.7:4000", a = "203.0.113.9:5000", b = "203.0.113.9:5001", c = "203.0.113.9:5002",
                 elsewhere = "203.0.113.10:5000";
  const row rows[]{
      {own, own, own, own, own, m::no_nat, f::endpoint_independent, "open internet"},
      {own, own, own, "-", own, m::no_nat, f::address_dependent, "symmetric UDP firewall"},
      {own, own, own, "-", "-", m::no_nat, f::address_and_port_dependent, "symmetric UDP firewall"},
      {own, own, own, "420", "420", m::no_nat, f::unknown, "no NAT"},
      {a, a, a, a, a, m::endpoint_independent, f::endpoint_independent, "full cone"},
      {a, a, a, a, "-", m::endpoint_independent, f::endpoint_independent, "full cone"},
      {a, a, a, "-", a, m::endpoint_independent, f::address_dependent, "restricted cone"},
      {a, a, a, "-", "-", m::endpoint_independent, f::address_and_port_dependent, "port-restricted cone"},
      {a, a, a, "-", "broken", m::endpoint_independent, f::unknown, "cone"},
      {a, a, a, "420", "-", m::endpoint_independent, f::unknown, "cone"},
      {a, a, a, "broken", "-", m::endpoint_independent, f::unknown, "cone"},
      {a, a, a, "", "", m::endpoint_independent, f::unknown, "cone"},
      {a, b, b, "-", "-", m::address_dependent, f::address_and_port_dependent, "symmetric"},
      {a, b, b, a, a, m::address_dependent, f::endpoint_independent, "symmetric"},
      {a, b, c, "-", "-", m::address_and_port_dependent, f::address_and_port_dependent, "symmetric"},
      {a, b, a, "-", "-", m::address_and_port_dependent, f::address_and_port_dependent, "symmetric"},
      {a, elsewhere, elsewhere, "-", "-", m::address_dependent, f::address_and_port_dependent, "symmetric"},
      {a, b, "-", "-", "-", m::dependent, f::address_and_port_dependent, "symmetric"},
      {a, "-", a, "-", "-", m::endpoint_independent, f::address_and_port_dependent, "port-restricted cone"},
      {a, "-", b, "-", "-", m::dependent, f::address_and_port_dependent, "symmetric"},
      {a, "-", "-", "-", "-", m::unknown, f::address_and_port_dependent, "unknown"},
      {a, "420", "420", "-", "-", m::unknown, f::address_and_port_dependent, "unknown"},
      {a, "", "", "", "", m::unknown, f::unknown, "unknown"},
  };
  for (const auto& r : rows) {
    std::vector<observation> all{first(r.mapping_1)};
    add(all, probe_kind::mapping_2, r.mapping_2);
    add(all, probe_kind::mapping_3, r.mapping_3);
    add(all, probe_kind::filtering_2, r.filtering_2);
    add(all, probe_kind::filtering_3, r.filtering_3);
    const auto report = judge_nat(all, {.own = home});
    CAPTURE(r.mapping_1);
    CAPTURE(r.mapping_2);
    CAPTURE(r.mapping_3);
    CAPTURE(r.filtering_2);
    CAPTURE(r.filtering_3);
    CHECK(report.mapping == r.mapping);
    CHECK(report.filtering == r.filtering);
    CHECK(to_string(report.name()) == r.name);
    CHECK(report.udp == finding::yes);
  }
}

TEST_CASE("servers without RFC 5780: the mapping is compared, the filtering stays unknown") {
  struct row {
    std::vector<std::pair<std::string_view, std::string_view>> answers;  // server, mapped
    mapping_kind mapping;
    std::string_view name;
  };
  const row rows[]{
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}}, mapping_kind::unknown, "unknown"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"198.51.100.3:3478", "203.0.113.9:5000"}},
       mapping_kind::endpoint_independent,
       "cone"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"198.51.100.3:3478", "203.0.113.9:5001"}},
       mapping_kind::dependent,
       "symmetric"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"198.51.100.1:3479", "203.0.113.9:5000"}},
       mapping_kind::unknown,
       "unknown"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"198.51.100.1:3479", "203.0.113.9:5001"}},
       mapping_kind::dependent,
       "symmetric"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"198.51.100.3:3478", "-"}}, mapping_kind::unknown, "unknown"},
      {{{"198.51.100.1:3478", "-"}, {"198.51.100.3:3478", "203.0.113.9:5000"}, {"198.51.100.4:3478", "203.0.113.9:5000"}},
       mapping_kind::endpoint_independent,
       "cone"},
      {{{"198.51.100.1:3478", "192.168.1.7:4000"}}, mapping_kind::no_nat, "no NAT"},
      {{{"198.51.100.1:3478", "203.0.113.9:5000"}, {"[2001:db8:1::1]:3478", "[2001:db8::7]:4000"}},
       mapping_kind::unknown,
       "unknown"},
  };
  for (const auto& r : rows) {
    std::vector<observation> all;
    for (const auto& [to, mapped] : r.answers) all.push_back(seen(probe_kind::mapping_1, mapped, 0, at(to)));
    const auto report = judge_nat(all, {.own = home});
    CAPTURE(all.size());
    CHECK(report.mapping == r.mapping);
    CHECK(to_string(report.name()) == r.name);
    CHECK(report.filtering == filtering_kind::unknown);
    CHECK(report.servers.size() == r.answers.size());
  }
}

TEST_CASE("UDP that is blocked is told from a machine that is offline") {
  std::vector<observation> all{first("-"), seen(probe_kind::tcp, "203.0.113.9:60000")};
  auto r = judge_nat(all, {.own = home});
  CHECK(to_string(r.name()) == "UDP blocked");
  CHECK(r.tcp == finding::yes);
  REQUIRE(r.servers.size() == 1);
  CHECK(r.servers[0].tcp);
  CHECK_FALSE(r.servers[0].udp);
  all[1] = seen(probe_kind::tcp, "-");
  CHECK(to_string(judge_nat(all, {.own = home}).name()) == "offline");
  CHECK(to_string(judge_nat({}, {.own = home}).name()) == "unknown");
  // A server that refuses answers nobody's question, but UDP went there and back.
  all[0] = first("420");
  CHECK(judge_nat(all, {.own = home}).servers[0].trouble == "420");
}

TEST_CASE("ports: kept, one after the other, or at random") {
  struct row {
    std::vector<int> outside;  // of sockets with the inside ports 4000, 4001, ...
    port_kind kind;
    int step;
    finding preserves;
  };
  const row rows[]{
      {{4000, 4001, 4002, 4003, 4004}, port_kind::preserving, 0, finding::yes},
      {{5000, 5001, 5002, 5003, 5004}, port_kind::sequential, 1, finding::no},
      {{5000, 5010, 5012, 5014, 5018}, port_kind::sequential, 2, finding::no},
      {{5000, 4990, 4989, 4987, 4986}, port_kind::sequential, -1, finding::no},
      {{5000, 61000, 1024, 33000, 7}, port_kind::random, 0, finding::no},
      {{4000, 61000, 1024, 33000, 7}, port_kind::random, 0, finding::no},
      {{5000, 5001, 5040, 5041, 5042}, port_kind::random, 0, finding::no},
      {{4000, 4001}, port_kind::unknown, 0, finding::yes},
      {{5000}, port_kind::unknown, 0, finding::no},
  };
  for (const auto& r : rows) {
    std::vector<observation> all;
    for (std::size_t n = 0; n < r.outside.size(); ++n)
      all.push_back(seen(n == 0 ? probe_kind::mapping_1 : probe_kind::ports, "203.0.113.9:" + std::to_string(r.outside[n]),
                         static_cast<unsigned>(n), server, "0.0.0.0:" + std::to_string(4000 + n)));
    const auto report = judge_nat(all, {.own = home});
    CAPTURE(r.outside.back());
    CHECK(report.ports == r.kind);
    CHECK(report.port_step == r.step);
    CHECK(report.preserves_port == r.preserves);
  }
}

TEST_CASE("a NAT with several outside addresses may give each socket another one") {
  std::vector<observation> all{first("203.0.113.9:5000"), seen(probe_kind::ports, "203.0.113.9:5001", 2)};
  CHECK(judge_nat(all, {}).one_outside_address == finding::yes);
  all.push_back(seen(probe_kind::ports, "203.0.113.10:5002", 3));
  CHECK(judge_nat(all, {}).one_outside_address == finding::no);
  CHECK(judge_nat({first("203.0.113.9:5000")}, {}).one_outside_address == finding::unknown);
}

TEST_CASE("hairpinning is proved by one answer and denied by silence only") {
  const auto hairpin = [](std::string_view a, std::string_view b) {
    std::vector<observation> all{first("203.0.113.9:5000")};
    add(all, probe_kind::hairpin, a);
    add(all, probe_kind::hairpin, b);
    return judge_nat(all, {.own = home}).hairpin;
  };
  CHECK(hairpin("-", "-") == finding::no);
  CHECK(hairpin("203.0.113.9:6000", "-") == finding::yes);
  CHECK(hairpin("-", "203.0.113.9:6000") == finding::yes);
  CHECK(hairpin("broken", "broken") == finding::unknown);
  CHECK(hairpin("", "") == finding::unknown);
}

TEST_CASE("something that rewrites addresses inside messages is noticed") {
  auto o = first("203.0.113.9:5000");
  o.plain_mapped = at("203.0.113.9:5000");
  CHECK(judge_nat({o}, {}).rewrites_addresses == finding::no);
  o.plain_mapped = at("192.168.1.7:4000");
  CHECK(judge_nat({o}, {}).rewrites_addresses == finding::yes);
  CHECK(judge_nat({first("203.0.113.9:5000")}, {}).rewrites_addresses == finding::unknown);
}

TEST_CASE("a second NAT is suspected for a reason") {
  struct row {
    std::string_view own, mapped, gateway;
    finding second;
  };
  const row rows[]{
      {"192.168.1.7", "203.0.113.9:5000", "", finding::unknown},
      {"192.168.1.7", "203.0.113.9:5000", "203.0.113.9", finding::no},
      {"192.168.1.7", "203.0.113.9:5000", "100.71.2.3", finding::yes},
      {"192.168.1.7", "203.0.113.9:5000", "10.1.2.3", finding::yes},
      {"192.168.1.7", "203.0.113.9:5000", "203.0.113.200", finding::yes},
      {"100.64.0.9", "203.0.113.9:5000", "", finding::yes},
      {"100.127.255.255", "203.0.113.9:5000", "", finding::yes},
      {"100.63.255.255", "203.0.113.9:5000", "", finding::unknown},
      {"100.128.0.0", "203.0.113.9:5000", "", finding::unknown},
      {"203.0.113.9", "203.0.113.9:4000", "", finding::no},
      {"100.64.0.9", "100.64.0.9:4000", "", finding::no},
  };
  for (const auto& r : rows) {
    surroundings around;
    around.own = {ip(r.own)};
    if (!r.gateway.empty()) around.gateway_outside = ip(r.gateway);
    const auto report = judge_nat({first(r.mapped)}, around);
    CAPTURE(r.own);
    CAPTURE(r.gateway);
    CHECK(report.second_nat == r.second);
    CHECK(report.second_nat_reason.empty() == (r.second != finding::yes && r.gateway.empty()));
  }
}

TEST_CASE("the families are judged apart, and IPv4 is what the report is about") {
  std::vector<observation> all{seen(probe_kind::mapping_1, "[2001:db8::7]:4000", 0, at("[2001:db8:1::1]:3478"), "[::]:4000"),
                               first("203.0.113.9:5000")};
  auto r = judge_nat(all, {.own = home});
  CHECK(r.ipv4 == finding::yes);
  CHECK(r.ipv6 == finding::yes);
  CHECK(r.mapped->to_string() == "203.0.113.9:5000");
  CHECK(r.mapped_ipv6->to_string() == "[2001:db8::7]:4000");
  CHECK(r.local.to_string() == "192.168.1.7:4000");
  all[1] = first("-");
  r = judge_nat(all, {.own = {ip("2001:db8::7")}});
  CHECK(r.ipv4 == finding::no);
  CHECK(to_string(r.name()) == "no NAT");
}

TEST_CASE("an OTHER-ADDRESS that cannot be what it says is not believed") {
  for (const auto& [text, good] : std::map<std::string_view, bool>{{"198.51.100.2:3479", true},
                                                                   {"198.51.100.1:3479", false},
                                                                   {"198.51.100.2:3478", false},
                                                                   {"10.0.0.2:3479", false},
                                                                   {"127.0.0.1:3479", false},
                                                                   {"0.0.0.0:3479", false},
                                                                   {"224.0.0.1:3479", false},
                                                                   {"198.51.100.2:0", false},
                                                                   {"[2001:db8::2]:3479", false}}) {
    auto o = first("203.0.113.9:5000");
    o.other = at(text);
    CAPTURE(text);
    CHECK(has_other_address(o) == good);
    CHECK(judge_nat({o}, {}).servers[0].discovery == good);
    CHECK(judge_nat({o}, {}).servers[0].trouble.empty() == good);
  }
  auto inside = seen(probe_kind::mapping_1, "10.0.0.9:5000", 0, at("10.0.0.1:3478"));
  inside.other = at("10.0.0.2:3479");
  CHECK(has_other_address(inside));
}
