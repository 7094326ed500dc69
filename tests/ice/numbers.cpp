#include <doctest/doctest.h>

#include <set>

#include "ice/description.hpp"
#include "ice/foundation.hpp"
#include "ice/gather_plan.hpp"
#include "ice/priority.hpp"
#include "ice/role.hpp"
#include "ice/timing.hpp"

using namespace strata;
using namespace strata::ice;

// req: 8445-5.1.2-b, 8445-5.1.2.2-a, 8445-5.1.2.1-b, 8445-5.1.2.1-a, 5245-4.1.2.1-a
TEST_CASE("candidate priorities follow the recommended formula") {
  CHECK(candidate_priority(candidate_type::host, 65535) == 2130706431);
  CHECK(candidate_priority(candidate_type::server_reflexive, 65535) == 1694498815);
  CHECK(candidate_priority(candidate_type::peer_reflexive, 65535) == 1862270975);
  CHECK(candidate_priority(candidate_type::relayed, 65535) == 16777215);
  CHECK(candidate_priority(candidate_type::host, 0, 256) == 126u << 24);
  CHECK(local_preference_of(candidate_priority(candidate_type::host, 12345)) == 12345);
  CHECK(type_preference(candidate_type::peer_reflexive) > type_preference(candidate_type::server_reflexive));
}

// req: 8445-7.1.1-a
TEST_CASE("a check carries the priority of a peer-reflexive candidate with the same local preference") {
  candidate c;
  c.priority = candidate_priority(candidate_type::host, 777);
  CHECK(peer_reflexive_priority(c) == candidate_priority(candidate_type::peer_reflexive, 777));
}

// req: 8445-6.1.2.3-a
TEST_CASE("a pair's priority is the same number on both sides") {
  CHECK(pair_priority(1, 2) == (1ull << 32) + 4);
  CHECK(pair_priority(2, 1) == (1ull << 32) + 5);
  CHECK(pair_priority(0x7fffffff, 0x7fffffff) == (0x7fffffffull << 32) + 2 * 0x7fffffffull);
  candidate x, y;
  x.priority = 100;
  y.priority = 77;
  CHECK(pair_priority(true, x, y) == pair_priority(false, y, x));
}

// req: 8421-4-a, 8421-4-b, 8421-4-c
TEST_CASE("the families take turns, IPv6 first and with a head start") {
  const auto text = [](std::size_t n4, std::size_t n6) {
    std::string order;
    for (const bool six : interleave(n4, n6)) order += six ? '6' : '4';
    return order;
  };
  CHECK(text(1, 1) == "64");
  CHECK(text(2, 6) == "66664664");
  CHECK(text(4, 2) == "646444");
  CHECK(text(0, 3) == "666");
  CHECK(text(3, 0) == "444");
  CHECK(text(0, 0).empty());
}

namespace {

network_address at(std::string_view ip, std::string interface = "eth0", std::uint32_t index = 2) {
  network_address a;
  a.interface = std::move(interface);
  a.index = index;
  a.address = *base::ip_address::parse(ip);
  a.prefix_length = a.address.is_v4() ? 24 : 64;
  a.loopback = a.address.is_loopback();
  return a;
}

std::string order(const std::vector<planned_base>& plan) {
  std::string text;
  for (const auto& b : plan) text += (text.empty() ? "" : " ") + b.from.address.to_string();
  return text;
}

}  // namespace

// req: 8445-5.1.1.1-a, 8445-5.1.1.1-c, 8445-5.1.1.1-d, 8445-5.1.1.1-e, 8445-5.1.1.1-g
TEST_CASE("addresses that lead nowhere are no candidates") {
  for (const auto* ip : {"127.0.0.1", "::1", "::192.0.2.1", "fec0::1", "::ffff:192.0.2.1", "fe80::1", "0.0.0.0",
                         "::", "224.0.0.1", "ff02::fb"}) {
    INFO(ip);
    const std::vector all{at(ip)};
    CHECK(why_not(all[0], all, {}));
    CHECK(plan_bases(all, {}).empty());
  }
  auto down = at("192.0.2.1"), old = at("2001:db8::1");
  down.up = false;
  old.deprecated = true;
  CHECK(plan_bases(std::vector{down, old}, {}).empty());
  CHECK(plan_bases(std::vector{at("2001:db8::1")}, {.ipv6 = false}).empty());
  const std::vector usable{at("192.0.2.1"), at("10.0.0.1"), at("100.64.0.1"), at("fd00::1"), at("2001:db8::1")};
  CHECK(plan_bases(usable, {}).size() == 5);
  CHECK(order(plan_bases(std::vector{at("127.0.0.1"), at("::1")}, {.allow_loopback = true})) == "::1 127.0.0.1");
}

// req: 8445-5.1.1.1-f
TEST_CASE("a privacy address takes the place of the others of its network, and of no other network") {
  auto privacy = at("2001:db8:1::abcd");
  privacy.temporary = true;
  const std::vector all{at("2001:db8:1::2:3ff:fe04:5"), at("2001:db8:1::77"), privacy, at("2001:db8:2::2:3ff:fe04:5"),
                        at("10.0.0.1")};
  CHECK(order(plan_bases(all, {})) == "2001:db8:1::abcd 2001:db8:2:0:2:3ff:fe04:5 10.0.0.1");
  auto expired = all;
  expired[2].deprecated = true;
  CHECK(order(plan_bases(expired, {})) == "2001:db8:1:0:2:3ff:fe04:5 2001:db8:1::77 2001:db8:2:0:2:3ff:fe04:5 10.0.0.1");
}

TEST_CASE("containers' and machines' bridges come behind real interfaces, loopback last, duplicates once") {
  const std::vector all{at("172.17.0.1", "docker0"), at("127.0.0.1", "lo"), at("192.0.2.1"), at("fd00:1::1", "br-12ab"),
                        at("169.254.3.4", "eth1"),   at("2001:db8::1"),     at("192.0.2.1"), at("10.9.8.7", "tun0")};
  CHECK(order(plan_bases(all, {.allow_loopback = true, .interfaces = {.allow = {"*"}, .deny = {}}})) ==
        "2001:db8::1 192.0.2.1 10.9.8.7 fd00:1::1 172.17.0.1 169.254.3.4 127.0.0.1");
}

// req: 8445-5.1.2.1-c, 8445-5.1.2.1-d, 8445-5.1.2.1-e, 8421-5-a
TEST_CASE("local preferences are unique; a single address has the largest") {
  CHECK(plan_bases(std::vector{at("192.0.2.1")}, {})[0].local_preference == 65535);
  std::vector<network_address> many;
  for (unsigned i = 0; i < 300; ++i) many.push_back(at("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
  const auto plan = plan_bases(many, {.max_addresses = 1000});
  CHECK(plan.size() == 255);
  std::set<std::uint16_t> seen;
  for (const auto& b : plan) {
    CHECK(b.local_preference >= 255);  // room for what is derived from it
    seen.insert(b.local_preference);
  }
  CHECK(seen.size() == plan.size());
  CHECK(plan_bases(many, {.max_addresses = 3}).size() == 3);
}

// req: 8445-5.1.1.3-a
TEST_CASE("foundations are equal exactly when type, base address, server and transport are") {
  foundations f;
  const auto a = *base::ip_address::parse("192.0.2.1"), b = *base::ip_address::parse("192.0.2.2");
  const auto first = f.of(candidate_type::server_reflexive, a, b, transport::udp);
  CHECK(f.of(candidate_type::server_reflexive, a, b, transport::udp) == first);
  CHECK(f.of(candidate_type::host, a, b, transport::udp) != first);
  CHECK(f.of(candidate_type::server_reflexive, b, b, transport::udp) != first);
  CHECK(f.of(candidate_type::server_reflexive, a, a, transport::udp) != first);
  CHECK(f.of(candidate_type::server_reflexive, a, std::nullopt, transport::udp) != first);
  CHECK(f.of(candidate_type::server_reflexive, a, b, transport::tcp) != first);

  std::vector<candidate> remote(2);
  remote[0].foundation = "prflx2";
  CHECK(unused_foundation(remote) == "prflx3");
}

// req: 8445-5.3-a, 8839-5.4-c, 8839-5.4-d, 8839-5.4-e
TEST_CASE("credentials are long enough, random, and of the right characters") {
  base::bytes random(description_random_bytes);
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(i * 11);
  const auto d = make_description(random);
  CHECK(d.ufrag.size() == 8);  // 48 bits
  CHECK(d.pwd.size() == 24);   // 144 bits
  CHECK(is_valid_ufrag(d.ufrag));
  CHECK(is_valid_pwd(d.pwd));
  random[0] ^= 0x80;
  CHECK(make_description(random).ufrag != d.ufrag);
  for (const auto& [text, ufrag, pwd] : std::vector<std::tuple<std::string, bool, bool>>{{std::string(3, 'a'), false, false},
                                                                                         {std::string(4, 'a'), true, false},
                                                                                         {std::string(21, 'a'), true, false},
                                                                                         {std::string(22, 'a'), true, true},
                                                                                         {std::string(256, 'a'), true, true},
                                                                                         {std::string(257, 'a'), false, false},
                                                                                         {"abcd:", false, false}}) {
    CHECK(is_valid_ufrag(text) == ufrag);
    CHECK(is_valid_pwd(text) == pwd);
  }
}

// req: 8445-7.3.1.1-b, 8445-7.3.1.1-c
TEST_CASE("of two sides with the same role the larger tie-breaker controls") {
  using enum role_verdict;
  CHECK(resolve_roles({true, 5}, {false, 5}) == agreed);
  CHECK(resolve_roles({false, 5}, {true, 9}) == agreed);
  CHECK(resolve_roles({true, 6}, {true, 5}) == insist);
  CHECK(resolve_roles({true, 5}, {true, 5}) == insist);
  CHECK(resolve_roles({true, 4}, {true, 5}) == yield);
  CHECK(resolve_roles({false, 6}, {false, 5}) == yield);
  CHECK(resolve_roles({false, 5}, {false, 5}) == yield);
  CHECK(resolve_roles({false, 4}, {false, 5}) == insist);
}

// req: 8445-14.2-c, 8839-5.5-a
TEST_CASE("the slower side sets the pace") {
  CHECK(agree_on_pacing(50ms, std::nullopt) == 50ms);
  CHECK(agree_on_pacing(20ms, std::nullopt) == 50ms);
  CHECK(agree_on_pacing(20ms, 20ms) == 20ms);
  CHECK(agree_on_pacing(50ms, 100ms) == 100ms);
  CHECK(agree_on_pacing(1ms, 1ms) == 5ms);
}

// req: 8445-14.3-a, 8445-14.3-b, 8445-14.3-c
TEST_CASE("retransmission is never faster than 500 ms, and slower when many share the line") {
  CHECK(check_rto(500ms, 50ms, 0, 1) == 500ms);
  CHECK(check_rto(100ms, 50ms, 0, 1) == 500ms);
  CHECK(check_rto(500ms, 50ms, 15, 5) == 1s);
  CHECK(gather_rto(500ms, 50ms, 3) == 500ms);
  CHECK(gather_rto(500ms, 50ms, 12) == 600ms);
}

// req: 7675-5.1-f, 7675-5.1-g, 7675-5.1-h
TEST_CASE("consent is asked for every four to six seconds, never oftener") {
  base::duration least = 1h, most = 0s;
  for (std::uint64_t random = 0; random < 1000; ++random) {
    const auto d = consent_delay(5s, random);
    least = std::min(least, d);
    most = std::max(most, d);
    CHECK(consent_delay(1s, random) >= 4s);
  }
  CHECK(least == 4s);
  CHECK(most == 6s);
  const auto begin = base::instant(1h);
  CHECK(consent_until(begin, 30s) == begin + 30s);
  CHECK(consent_until(begin, 60s) == begin + 30s);
  CHECK(consent_until(begin, 10s) == begin + 10s);
}
