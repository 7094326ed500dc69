// The mapper against a gateway, by every protocol that the gateway speaks or does not, and through its restarts.
#include "portmap/mapper.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "base/hex.hpp"
#include "gateway.hpp"
#include "portmap/error.hpp"

using namespace strata;
using namespace strata::portmap;
using namespace std::chrono_literals;

namespace {

const auto outside = *base::ip_address::parse("203.0.113.9");

// What runs on the network ends with it, and has to outlive it: the network is the last member.
struct home {
  explicit home(test::gateway_behaviour b = {}, base::ip_address outside_address = outside)
      : router(net.add_host("router", {"192.168.1.1/24"})),
        machine(net.add_host("machine", {"192.168.1.7/24"})),
        gateway(owned_.emplace(router, outside_address, b)) {
    net.all_links({.latency = 2ms});
    net.start("gateway", gateway.run());
  }
  [[nodiscard]] mapper_config config() const { return {.gateways = {router.address(0)}}; }
  mapper& make_mapper() { return mapper_.emplace(machine, config()); }
  [[nodiscard]] base::endpoint inside(std::uint16_t port = 4000) const { return {machine.address(0), port}; }
  base::result<mapping> map(mapper& m, std::uint16_t port = 4000) { return net.run(m.map(inside(port))); }
  [[nodiscard]] long asked(std::string_view what) const {
    return std::ranges::count_if(gateway.asked, [&](const std::string& a) { return a.starts_with(what); });
  }

 private:
  std::optional<test::gateway> owned_;
  std::optional<mapper> mapper_;

 public:
  sim::network net{1};
  sim::host& router;
  sim::host& machine;
  test::gateway& gateway;
};

}  // namespace

TEST_CASE("each protocol gives a mapping, the first of them that the gateway speaks") {
  struct row {
    test::gateway_behaviour gateway;
    protocol by;
    bool lasts;
  };
  for (const auto& r : {row{{}, protocol::pcp, true},
                        {{.pcp = false}, protocol::nat_pmp, true},
                        {{.pcp = false, .nat_pmp = false}, protocol::upnp, true},
                        {{.pcp = false, .nat_pmp = false, .version_two = false}, protocol::upnp, true},
                        {{.pcp = false, .nat_pmp = false, .version_two = false, .permanent_only = true}, protocol::upnp, false},
                        {{.pcp_result = 2}, protocol::nat_pmp, true},
                        {{.pcp_result = 4, .pmp_result = 2}, protocol::upnp, true}}) {
    home h(r.gateway);
    auto& m = h.make_mapper();
    const auto begin = h.net.now();
    const auto got = h.map(m);
    CAPTURE(to_string(r.by));
    REQUIRE(got);
    CHECK(got->by == r.by);
    CHECK(got->inside == h.inside());
    CHECK(got->outside.to_string() == "203.0.113.9:4000");
    CHECK((got->lifetime != 0s) == r.lasts);
    CHECK_FALSE(got->behind_another_nat());
    CHECK(h.net.now() - begin < 1s);
    REQUIRE(h.gateway.mappings.size() == 1);
    CHECK(h.gateway.mappings.begin()->second.inside == h.inside());
    CHECK(m.mappings() == std::vector{*got});
    CHECK(h.map(m)->outside == got->outside);
    h.net.run(m.release());
    CHECK(h.gateway.mappings.empty());
    CHECK(m.mappings().empty());
  }
}

TEST_CASE("where nobody answers it is over after a second, and a refusal is told from silence") {
  home silent({.pcp = false, .nat_pmp = false, .upnp = false});
  auto& m = silent.make_mapper();
  const auto begin = silent.net.now();
  CHECK(silent.map(m).error() == base::errc::timed_out);
  CHECK(silent.net.now() - begin <= 1s);
  home strict({.upnp = false, .pcp_result = 2, .pmp_result = 2});
  auto& n = strict.make_mapper();
  CHECK(strict.map(n).error() == errc::not_authorized);
}

TEST_CASE("what cannot be mapped is not asked for") {
  home h;
  auto& m = h.make_mapper();
  for (const auto* text : {"0.0.0.0:4000", "127.0.0.1:4000", "192.168.1.7:0", "224.0.0.1:4000"})
    CHECK(h.net.run(m.map(*base::endpoint::parse(text))).error() == errc::bad_address);
  CHECK(h.net.run(m.map(*base::endpoint::parse("[2001:db8::1]:4000"))).error() == errc::no_gateway);
  mapper none(h.machine);
  CHECK(h.map(none).error() == errc::no_gateway);
  auto few = h.config();
  few.max_mappings = 1;
  mapper small(h.machine, few);
  CHECK(h.map(small, 4000));
  CHECK(h.map(small, 4001).error() == errc::too_many);
}

TEST_CASE("a taken port is another one") {
  for (const bool version_two : {true, false}) {
    home h({.pcp = false, .nat_pmp = false, .version_two = version_two});
    h.gateway.mappings[4000] = {*base::endpoint::parse("192.168.1.99:4000"), {}};
    auto& m = h.make_mapper();
    const auto got = h.map(m);
    REQUIRE(got);
    CHECK(got->outside.port != 4000);
    CHECK(h.gateway.mappings[got->outside.port].inside == h.inside());
  }
}

TEST_CASE("a lost request is sent again") {
  home h({.pcp = false, .upnp = false, .deaf_to = 2});
  auto& m = h.make_mapper();
  CHECK(h.map(m));
}

TEST_CASE("a mapping behind another NAT says so") {
  home h({}, *base::ip_address::parse("100.64.3.4"));
  auto& m = h.make_mapper();
  CHECK(h.map(m)->behind_another_nat());
}

TEST_CASE("mappings are renewed at half of their life, with the same port and nonce") {
  for (const bool pcp : {true, false}) {
    home h({.pcp = pcp, .upnp = false});
    auto& m = h.make_mapper();
    int changes = 0;
    m.on_change = [&](const base::endpoint&, const std::optional<mapping>&) { ++changes; };
    h.net.start("keep", m.run());
    REQUIRE(h.map(m));
    h.net.run_for(4h + 1min);
    CHECK(h.asked(pcp ? "PCP 4000" : "NAT-PMP 4000") == 9);
    CHECK(changes == 1);
    CHECK(h.gateway.mappings.size() == 1);
  }
}

TEST_CASE("a mapping without end is looked after every twenty minutes") {
  home h({.pcp = false, .nat_pmp = false, .version_two = false, .permanent_only = true});
  auto& m = h.make_mapper();
  h.net.start("keep", m.run());
  REQUIRE(h.map(m));
  h.gateway.restart();
  h.net.run_for(21min);
  CHECK(h.gateway.mappings.size() == 1);
}

TEST_CASE("when the gateway has restarted, one renewal brings all mappings back") {
  for (const bool pcp : {true, false}) {
    home h({.pcp = pcp, .upnp = false});
    auto& m = h.make_mapper();
    h.net.start("keep", m.run());
    for (std::uint16_t port = 4000; port < 4005; ++port) {
      REQUIRE(h.map(m, port));
      h.net.run_for(1min);
    }
    h.net.run_for(10min);
    h.gateway.restart();
    h.net.run_for(16min);  // until the first is due
    CHECK(h.gateway.mappings.size() == 5);
  }
}

TEST_CASE("a new outside address is reported") {
  home h({.upnp = false});
  auto& m = h.make_mapper();
  std::vector<std::string> seen;
  m.on_change = [&](const base::endpoint& inside, const std::optional<mapping>& now) {
    seen.push_back(inside.to_string() + " " + (now ? now->outside.to_string() : "lost"));
  };
  h.net.start("keep", m.run());
  REQUIRE(h.map(m));
  h.gateway.outside_address = *base::ip_address::parse("203.0.113.77");
  h.net.run_for(31min);
  CHECK(seen == std::vector<std::string>{"192.168.1.7:4000 203.0.113.9:4000", "192.168.1.7:4000 203.0.113.77:4000"});
}

TEST_CASE("a gateway that vanishes takes the mapping with it, and gives another one when it is back") {
  home h;
  auto& m = h.make_mapper();
  std::vector<std::string> seen;
  m.on_change = [&](const base::endpoint&, const std::optional<mapping>& now) {
    seen.push_back(now ? std::string(to_string(now->by)) : "lost");
  };
  h.net.start("keep", m.run());
  REQUIRE(h.map(m));
  h.net.partition(h.machine, h.router);
  h.net.run_for(30min);
  CHECK(m.mappings().size() == 1);
  h.net.run_for(45min);
  CHECK(m.mappings().empty());
  h.gateway.restart();
  h.gateway.behaviour.pcp = false;  // and it is another model
  h.net.heal(h.machine, h.router);
  h.net.run_for(2min);
  CHECK(m.mappings().size() == 1);
  CHECK(seen == std::vector<std::string>{"PCP", "lost", "NAT-PMP"});
}

TEST_CASE("an unmapped port is gone at the gateway, and nothing renews it") {
  home h;
  auto& m = h.make_mapper();
  h.net.start("keep", m.run());
  REQUIRE(h.map(m, 4000));
  REQUIRE(h.map(m, 4001));
  h.net.run(m.unmap(h.inside(4000)));
  h.net.run(m.unmap(h.inside(4999)));
  CHECK(h.gateway.mappings.size() == 1);
  h.net.run_for(3h);
  CHECK(h.gateway.mappings.size() == 1);
}

TEST_CASE("answers of others than the gateway are not heard") {
  sim::network net{1};
  auto& router = net.add_host("router", {"192.168.1.1/24"});
  auto& machine = net.add_host("machine", {"192.168.1.7/24"});
  auto& liar = net.add_host("liar", {"192.168.1.66/24"});
  (void)router;
  const auto lie = [](sim::host& h, sim::host& victim) -> async::task<> {
    const auto socket = h.bind_udp({h.address(0), 5351});
    const auto answer = *base::from_hex("008100000000006403e803e800001c20");
    for (std::uint16_t port = 32768; port < 61000; ++port) (*socket)->send({victim.address(0), port}, answer);
    co_return;
  };
  net.start("lie", lie(liar, machine));
  mapper m(machine, {.gateways = {router.address(0)}});
  CHECK_FALSE(net.run(m.map({machine.address(0), 1000})));
}

TEST_CASE("UPnP: a gateway is not asked about a description that lies elsewhere") {
  home h({.pcp = false, .nat_pmp = false, .location = "http://192.168.1.7:5000/root.xml"});
  auto& m = h.make_mapper();
  CHECK_FALSE(h.map(m));
  CHECK(h.gateway.asked.empty());
}

TEST_CASE("the outside address can be had without a mapping, where a protocol tells it") {
  for (const bool nat_pmp : {true, false}) {
    home h({.nat_pmp = nat_pmp});
    auto& m = h.make_mapper();
    const auto address = h.net.run(m.outside_address(h.machine.address(0)));
    REQUIRE(address);
    CHECK(*address == outside);
    CHECK(h.gateway.mappings.empty());
  }
}

TEST_CASE("the gateway on the socket's own link is asked") {
  std::optional<test::gateway> a, b;
  sim::network net{1};
  auto& first = net.add_host("first", {"192.168.1.1/24"});
  auto& second = net.add_host("second", {"10.0.0.1/8"});
  auto& machine = net.add_host("machine", {"192.168.1.7/24", "10.0.0.7/8"});
  a.emplace(first, outside, test::gateway_behaviour{});
  b.emplace(second, *base::ip_address::parse("203.0.113.10"), test::gateway_behaviour{});
  net.start("a", a->run());
  net.start("b", b->run());
  mapper m(machine, {.gateways = {first.address(0), second.address(0)}});
  CHECK(net.run(m.map({machine.address(1), 4000}))->outside.to_string() == "203.0.113.10:4000");
  CHECK(net.run(m.map({machine.address(0), 4000}))->outside.to_string() == "203.0.113.9:4000");
}
