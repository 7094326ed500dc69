// Places: packets through routers, one behind the other.
#include "sim/place.hpp"

#include <doctest/doctest.h>

#include "async/async.hpp"

using namespace strata;
using namespace strata::sim;
using namespace std::chrono_literals;

namespace {

// Sends, and says how it looked there; nothing within a second: it did not arrive.
async::task<std::optional<base::endpoint>> carry(net::udp_socket& from, net::udp_socket& to, base::endpoint at,
                                                 std::string text = "x") {
  from.send(at, base::as_bytes(text));
  const auto wait = [](net::udp_socket& s) -> async::task<base::endpoint> {
    const auto batch = co_await s.receive();
    co_return (*batch)[0].peer;
  };
  const auto arrived = co_await async::with_timeout(1s, wait(to));
  if (!arrived) co_return std::nullopt;
  co_return *arrived;
}

}  // namespace

TEST_CASE("a host behind two NATs is seen under the outermost address, and answers find it") {
  network net;
  auto& far = net.add_host("far", {"198.51.100.1"});
  auto& h = put(net, place_kind::cgnat_over_home, "h", 7);
  net.run([](host& far, host& h) -> async::task<> {
    auto s = *h.bind_udp({h.address(), 4000});
    auto f = *far.bind_udp({far.address(), 5000});
    const auto seen = co_await carry(*s, *f, {far.address(), 5000});
    REQUIRE(seen);
    CHECK(seen->address.to_string() == "203.0.113.7");
    const auto back = co_await carry(*f, *s, *seen);
    CHECK(back == base::endpoint{far.address(), 5000});
  }(far, h));
}

TEST_CASE("inside one network hosts meet directly, unless it is isolated; then through the hairpin") {
  network net;
  auto& one = put(net, place_kind::same_nat_hairpin, "one", 11);
  auto& two = put(net, place_kind::same_nat_hairpin, "two", 12);
  auto& far = net.add_host("far", {"198.51.100.1"});
  net.run([](host& one, host& two, host& far) -> async::task<> {
    auto a = *one.bind_udp({one.address(), 4000});
    auto b = *two.bind_udp({two.address(), 4001});
    auto f = *far.bind_udp({far.address(), 5000});
    CHECK_FALSE(co_await carry(*a, *b, {two.address(), 4001}));
    const auto seen_a = co_await carry(*a, *f, {far.address(), 5000});
    const auto seen_b = co_await carry(*b, *f, {far.address(), 5000});
    REQUIRE(seen_a);
    REQUIRE(seen_b);
    CHECK_FALSE(co_await carry(*b, *a, *seen_a));  // filtered: a has not written to b yet
    CHECK(co_await carry(*a, *b, *seen_b) == seen_a);
  }(one, two, far));
}

TEST_CASE("a NAT64 carries IPv6 hosts to IPv4, and names lead there") {
  network net;
  auto& far = net.add_host("far", {"198.51.100.1"});
  auto& h = put(net, place_kind::nat64, "h", 7);
  net.run([](host& far, host& h) -> async::task<> {
    const auto found = co_await h.resolve("far");
    REQUIRE(found);
    CHECK(found->front().to_string() == "64:ff9b::c633:6401");
    auto s = *h.bind_udp({h.address(), 4000});
    auto f = *far.bind_udp({far.address(), 5000});
    const auto seen = co_await carry(*s, *f, {found->front(), 5000});
    REQUIRE(seen);
    CHECK(seen->address.to_string() == "203.0.113.7");
    CHECK(co_await carry(*f, *s, *seen) == base::endpoint{found->front(), 5000});
  }(far, h));
}

TEST_CASE("firewalls stop what they say and nothing else") {
  network net;
  auto& far = net.add_host("far", {"198.51.100.1", "2001:db8:ffff::1"});
  auto& blocked = put(net, place_kind::udp_blocked, "blocked", 7);
  auto& only = put(net, place_kind::only_tcp_443, "only", 8);
  auto& six = put(net, place_kind::ipv6_only, "six", 9);
  net.run([](host& far, host& blocked, host& only, host& six) -> async::task<> {
    auto f = *far.bind_udp({far.address(), 5000});
    auto s = *blocked.bind_udp({blocked.address(), 4000});
    CHECK_FALSE(co_await carry(*s, *f, {far.address(), 5000}));
    auto web = *far.listen_tcp({far.address(), 443});
    auto other = *far.listen_tcp({far.address(), 8080});
    CHECK(co_await blocked.connect_tcp({far.address(), 8080}));
    CHECK(co_await only.connect_tcp({far.address(), 443}));
    CHECK_FALSE(co_await only.connect_tcp({far.address(), 8080}));
    auto f6 = *far.bind_udp({far.address(1), 5000});
    auto s6 = *six.bind_udp({six.address(), 4000});
    CHECK_FALSE(co_await carry(*f6, *s6, {six.address(), 4000}));
    CHECK(co_await carry(*s6, *f6, {far.address(1), 5000}));
    CHECK(co_await carry(*f6, *s6, {six.address(), 4000}));
  }(far, blocked, only, six));
}

TEST_CASE("a narrow path loses what is larger, and a rebooted router forgets") {
  network net;
  auto& far = net.add_host("far", {"198.51.100.1"});
  auto& h = put(net, place_kind::mtu_1280, "h", 7);
  net.run([](network& net, host& far, host& h) -> async::task<> {
    auto s = *h.bind_udp({h.address(), 4000});
    auto f = *far.bind_udp({far.address(), 5000});
    CHECK(co_await carry(*s, *f, {far.address(), 5000}, std::string(1280 - 28, 'x')));
    CHECK_FALSE(co_await carry(*s, *f, {far.address(), 5000}, std::string(1280 - 27, 'x')));
    const auto seen = co_await carry(*s, *f, {far.address(), 5000});
    REQUIRE(seen);
    net.find_router("h router")->reboot();
    CHECK_FALSE(co_await carry(*f, *s, *seen));
  }(net, far, h));
}

TEST_CASE("TCP goes out through every NAT and does not come in") {
  network net;
  auto& far = net.add_host("far", {"198.51.100.1"});
  auto& h = put(net, place_kind::symmetric_random, "h", 7);
  net.set_limit(24h);
  net.run([](host& far, host& h) -> async::task<> {
    auto web = *far.listen_tcp({far.address(), 80});
    auto made = co_await h.connect_tcp({far.address(), 80});
    REQUIRE(made);
    auto there = co_await web->accept();
    CHECK((*there)->remote_endpoint().address.to_string() == "203.0.113.7");
    CHECK(co_await (*made)->write(base::as_bytes("hello")));
    base::bytes buffer(16);
    CHECK(*co_await (*there)->read(buffer) == 5);
    auto own = *h.listen_tcp({h.address(), 81});
    CHECK_FALSE(co_await far.connect_tcp({*base::ip_address::parse("203.0.113.7"), 81}));
  }(far, h));
}

TEST_CASE("same seed, same run, also through routers") {
  const auto hash_of = [](std::uint64_t seed) {
    network net(seed);
    auto& far = net.add_host("far", {"198.51.100.1"});
    auto& h = put(net, place_kind::symmetric_random, "h", 7);
    net.run([](host& far, host& h) -> async::task<> {
      auto s = *h.bind_udp({h.address(), 0});
      auto f = *far.bind_udp({far.address(), 5000});
      for (int i = 0; i < 20; ++i) (void)co_await carry(*s, *f, {far.address(), 5000});
    }(far, h));
    return net.hash();
  };
  CHECK(hash_of(1) == hash_of(1));
  CHECK(hash_of(1) != hash_of(2));
}

TEST_CASE("names behind a NAT64 are IPv6, however far above it stands, and a well-known name tells its prefix") {
  using list = std::vector<std::string>;
  sim::network net(1);
  auto& carrier = net.add_router("carrier", {.nat64 = true}, {base::ip_address::v4(203, 0, 113, 1)});
  auto& home = net.add_router("home", {}, {}, &carrier);
  auto& six = net.add_host_behind(home, "six", {"2001:db8:1::2"});
  auto& both = net.add_host_behind(home, "both", {"2001:db8:1::3", "192.168.1.3"});
  auto& outside = net.add_host("outside", {"192.0.2.9"});
  net.add_name("four", {base::ip_address::v4(192, 0, 2, 1)});
  net.add_name("dual", {base::ip_address::v4(192, 0, 2, 1), *base::ip_address::parse("2001:db8::1")});
  const auto ask = [&](sim::host& h, std::string name) {
    return net.run([](sim::host& h, std::string name) -> async::task<list> {
      list found;
      const auto addresses = co_await h.resolve(name);
      for (const auto& a : *addresses) found.push_back(a.to_string());
      co_return found;
    }(h, std::move(name)));
  };
  CHECK(ask(six, "four") == list{"64:ff9b::c000:201"});
  CHECK(ask(six, "dual") == list{"2001:db8::1"});
  CHECK(ask(both, "four") == list{"64:ff9b::c000:201", "192.0.2.1"});
  CHECK(ask(both, "dual") == list{"192.0.2.1", "2001:db8::1"});
  CHECK(ask(six, "ipv4only.arpa") == list{"64:ff9b::c000:aa", "64:ff9b::c000:ab"});
  CHECK(ask(outside, "ipv4only.arpa") == list{"192.0.0.170", "192.0.0.171"});
}
