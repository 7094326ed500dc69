// What is asked of whom, and what is expected of it: plans, forecasts and their texts.
#include "stun/discovery/nat_plan.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "stun/discovery/lifetime_search.hpp"
#include "stun/discovery/nat_forecast.hpp"
#include "stun/discovery/nat_print.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

base::endpoint at(std::string_view text) { return *base::endpoint::parse(text); }

std::string text(const std::vector<probe>& plan) {
  std::string out;
  for (const auto& p : plan) {
    out += std::string(to_string(p.kind)) + " " + std::to_string(p.socket) + " " + p.to.to_string();
    if (p.change_ip) out += " ip";
    if (p.change_port) out += " port";
    out += "; ";
  }
  return out;
}

observation answer(std::string_view server, std::string_view mapped, std::string_view other = {}) {
  observation o;
  o.asked = {probe_kind::mapping_1, 0, at(server)};
  o.result = probe_result::answered;
  o.mapped = at(mapped);
  o.local = at("0.0.0.0:4000");
  if (!other.empty()) o.other = at(other);
  return o;
}

observation silence(std::string_view server) {
  observation o;
  o.asked = {probe_kind::mapping_1, 0, at(server)};
  return o;
}

}  // namespace

TEST_CASE("the first round asks every server from one socket") {
  CHECK(text(plan_first({at("198.51.100.1:3478"), at("[2001:db8::1]:3478")})) ==
        "mapping I 0 198.51.100.1:3478; mapping I 0 [2001:db8::1]:3478; ");
  CHECK(plan_first({}).empty());
}

// req: 5780-4.3-a 5780-4.4-a
TEST_CASE("the second round is the RFC's tests II and III; filtering has a socket of its own") {
  CHECK(
      text(plan_second({silence("198.51.100.9:3478"), answer("198.51.100.1:3478", "203.0.113.9:5000", "198.51.100.2:3479")})) ==
      "filtering II 1 198.51.100.1:3478 ip port; filtering III 1 198.51.100.1:3478 port; mapping II 0 198.51.100.2:3478; "
      "mapping III 0 198.51.100.2:3479; ports 2 198.51.100.1:3478; ports 3 198.51.100.1:3478; ports 4 198.51.100.1:3478; "
      "ports 5 198.51.100.1:3478; ");
}

// req: 5780-5-b
TEST_CASE("a server without another address is not asked to answer from there") {
  for (const auto* other : {"", "198.51.100.1:3479", "10.0.0.1:3479"})
    for (const auto& p : plan_second({answer("198.51.100.1:3478", "203.0.113.9:5000", other)})) {
      CHECK(p.kind == probe_kind::ports);
      CHECK_FALSE((p.change_ip || p.change_port));
    }
}

TEST_CASE("where UDP has found nobody, TCP is tried") {
  CHECK(text(plan_second({silence("198.51.100.1:3478"), silence("198.51.100.3:3478")})) ==
        "TCP 0 198.51.100.1:3478; TCP 0 198.51.100.3:3478; ");
  CHECK(plan_second({}).empty());
}

TEST_CASE("IPv4 is looked at before IPv6, and servers of RFC 5780 before others") {
  const std::vector<observation> all{answer("[2001:db8:1::1]:3478", "[2001:db8::7]:5000", "[2001:db8:1::2]:3479"),
                                     answer("198.51.100.1:3478", "203.0.113.9:5000"),
                                     answer("198.51.100.3:3478", "203.0.113.9:5000", "198.51.100.4:3479")};
  CHECK(main_answer(all)->asked.to.to_string() == "198.51.100.3:3478");
  CHECK(main_answer({all[0]})->asked.to.to_string() == "[2001:db8:1::1]:3478");
  CHECK(main_answer({}) == nullptr);
}

TEST_CASE("hairpinning is tried between two sockets that know their outside addresses, behind a NAT only") {
  std::vector<observation> all{answer("198.51.100.1:3478", "203.0.113.9:5000")};
  for (unsigned n = 2; n < 4; ++n) {
    auto o = answer("198.51.100.1:3478", n == 2 ? "203.0.113.9:5002" : "203.0.113.9:5003");
    o.asked.kind = probe_kind::ports;
    o.asked.socket = n;
    all.push_back(o);
  }
  CHECK(text(plan_third(all, {})) == "hairpin 2 203.0.113.9:5003; hairpin 3 203.0.113.9:5002; ");
  all[0].mapped.port = all[0].local.port;
  CHECK(plan_third(all, {*base::ip_address::parse("203.0.113.9")}).empty());
  all.pop_back();
  CHECK(plan_third(all, {}).empty());
  CHECK(plan_third({}, {}).empty());
}

TEST_CASE("the forecast: a symmetric NAT meets neither its like nor a port-restricted one, and blocked UDP meets nobody") {
  using s = standing;
  for (const auto a : all_standings)
    for (const auto b : all_standings) {
      const bool strict_a = a == s::port_restricted || a == s::symmetric,
                 strict_b = b == s::port_restricted || b == s::symmetric;
      const bool apart =
          a == s::udp_blocked || b == s::udp_blocked || (strict_a && strict_b && (a == s::symmetric || b == s::symmetric));
      CAPTURE(to_string(a));
      CAPTURE(to_string(b));
      CHECK(forecast(a, b) == (apart ? tier::relay : tier::direct));
      CHECK(forecast(a, b, false) == (apart ? tier::task_queue : tier::direct));
      CHECK(forecast(a, b) == forecast(b, a));
    }
}

TEST_CASE("what is unknown counts as the strictest it may be; a port of the gateway's counts as a full cone") {
  nat_report r;
  CHECK(standing_of(r) == standing::symmetric);
  r.udp = finding::yes;
  r.mapping = mapping_kind::endpoint_independent;
  CHECK(standing_of(r) == standing::port_restricted);
  r.filtering = filtering_kind::address_dependent;
  CHECK(standing_of(r) == standing::restricted);
  r.filtering = filtering_kind::endpoint_independent;
  CHECK(standing_of(r) == standing::full_cone);
  r.mapping = mapping_kind::address_and_port_dependent;
  CHECK(standing_of(r) == standing::symmetric);
  r.port_mapping = at("203.0.113.9:4000");
  CHECK(standing_of(r) == standing::full_cone);
  r.second_nat = finding::yes;
  CHECK(standing_of(r) == standing::symmetric);
  r = {};
  r.udp = finding::yes;
  r.mapping = mapping_kind::no_nat;
  CHECK(standing_of(r) == standing::port_restricted);
  r.filtering = filtering_kind::endpoint_independent;
  CHECK(standing_of(r) == standing::open);
  r.filtering = filtering_kind::address_and_port_dependent;
  CHECK(standing_of(r) == standing::port_restricted);
  r.udp = finding::no;
  CHECK(standing_of(r) == standing::udp_blocked);
}

TEST_CASE("a report is one line, a table, or JSON") {
  nat_report r;
  r.udp = r.ipv4 = finding::yes;
  r.ipv6 = finding::no;
  r.local = at("192.168.1.7:4000");
  r.mapped = at("203.0.113.9:5000");
  r.mapping = mapping_kind::endpoint_independent;
  r.filtering = filtering_kind::address_and_port_dependent;
  r.hairpin = finding::yes;
  r.ports = port_kind::sequential;
  r.port_step = 2;
  r.lifetime = nat_report::lifetime_range{120s, 125s};
  r.second_nat = finding::yes;
  r.second_nat_reason = "the gateway says so";
  r.servers.push_back({at("198.51.100.1:3478"), true, false, true, 21ms, {}});
  CHECK(
      as_line(r) ==
      "port-restricted cone: mapping endpoint-independent, filtering address- and port-dependent, 192.168.1.7:4000 -> "
      "203.0.113.9:5000, ports sequential, step 2, hairpin yes, IPv6 no, a second NAT behind it, mappings live 120 s to 125 s");
  const auto table = as_table(r);
  for (const auto* part : {"port-restricted cone", "203.0.113.9:5000", "21.0 ms, RFC 5780", "the gateway says so",
                           "to symmetric             relay  (task queue without a relay)", "120 s to 125 s"})
    CHECK(table.find(part) != std::string::npos);
  const auto json = base::json::parse(as_json(r).dump());
  REQUIRE(json);
  CHECK(json->text("nat") == "port-restricted cone");
  CHECK(json->text("outside") == "203.0.113.9:5000");
  CHECK(json->find("forecast")->text("symmetric") == "relay");
  CHECK(json->find("lifetime_s")->find("at_least")->as_double() == 120.0);
  CHECK(as_line({}) == "unknown, IPv6 unknown");
  CHECK(base::json::parse(as_json({}).dump()));
}

TEST_CASE("the search for a lifetime closes in on it from both sides") {
  for (const auto truth : {5s, 17s, 30s, 61s, 119s, 175s, 299s, 599s, 1000s}) {
    lifetime_search search(20min);
    int rounds = 0;
    for (auto round = search.next_round(); !round.empty() && rounds < 10; round = search.next_round(), ++rounds)
      for (const auto silence : round) search.learn(silence, silence < truth);
    CAPTURE(truth.count());
    CHECK(rounds <= 5);
    CHECK(search.range().at_least < truth);
    CHECK(search.range().at_most >= truth);
    CHECK(search.range().at_most - search.range().at_least <= std::max<base::duration>(5s, truth / 10));
  }
}

TEST_CASE("a mapping that outlives the search is said to, and a lost packet does not confuse it") {
  lifetime_search search(5min);
  auto round = search.next_round();
  CHECK(round.back() == 5min);
  for (const auto silence : round) search.learn(silence, true);
  CHECK(search.next_round().empty());
  CHECK(search.range().at_least == 5min);
  CHECK(search.range().at_most == 0s);
  lifetime_search lossy(5min);
  lossy.learn(60s, true);
  lossy.learn(30s, false);
  CHECK(lossy.range().at_least == 0s);
  CHECK(lossy.range().at_most == 30s);
  lossy.learn(15s, true);
  lossy.learn(120s, true);
  lossy.learn(300s, false);
  CHECK(lossy.range().at_least == 15s);
  CHECK(lossy.range().at_most == 30s);
}
