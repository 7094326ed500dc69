// What routers and links say of packets that did not get there, and when they keep silent.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

struct outcome {
  std::uint64_t received = 0;
  std::optional<base::errc> told;
  base::duration after{};
};

struct datagram {
  std::size_t bytes = 1;
  bool dont_fragment = true;
};

outcome send(sim::network& net, sim::host& a, const base::ip_address& to, sim::host& b, datagram d) {
  return net.run([](sim::network& net, sim::host& a, base::ip_address to, sim::host& b, datagram d) -> async::task<outcome> {
    auto receiver = *b.bind_udp({b.address(), 2});
    auto sender = *a.bind_udp({a.address(), 1}, {.dont_fragment = d.dont_fragment});
    outcome o;
    const auto begin = net.now();
    sender->on_unreachable = [&](const base::endpoint& peer, base::errc why) {
      CHECK(peer == base::endpoint{to, 2});
      o.told = why;
      o.after = net.now() - begin;
    };
    sender->send({to, 2}, base::bytes(d.bytes));
    co_await async::sleep_for(1s);
    o.received = receiver->counters().received;
    co_return o;
  }(net, a, to, b, d));
}

async::task<base::errc> connect(sim::host& a, base::endpoint to) {
  const auto s = co_await a.connect_tcp(to);
  if (s) co_return base::errc{};
  for (const auto e : {base::errc::refused, base::errc::unreachable, base::errc::timed_out})
    if (s.error() == e) co_return e;
  co_return base::errc::invalid;
}

}  // namespace

TEST_CASE("a datagram larger than its link carries is lost and reported when it may not be cut") {
  struct row {
    bool v6;
    datagram sent;
    bool arrives;
  };
  for (const auto& r : {row{false, {1372, true}, true}, row{false, {1373, true}, false}, row{false, {1373, false}, true},
                        row{true, {1352, true}, true}, row{true, {1353, true}, false}}) {
    sim::network net(1);
    auto& a = net.add_host("a", {"192.0.2.1"});
    auto& b = net.add_host("b", {"192.0.2.2"});
    auto& a6 = net.add_host("a6", {"2001:db8::1"});
    auto& b6 = net.add_host("b6", {"2001:db8::2"});
    net.all_links({.latency = 20ms, .mtu = 1400});
    auto& from = r.v6 ? a6 : a;
    auto& to = r.v6 ? b6 : b;
    const auto o = send(net, from, to.address(), to, r.sent);
    CAPTURE(r.sent.bytes);
    CHECK(o.received == (r.arrives ? 1 : 0));
    CHECK(o.told == (r.arrives ? std::nullopt : std::optional(base::errc::too_large)));
    if (!r.arrives) CHECK(o.after == 20ms);
  }
}

TEST_CASE("one link's size is no other's") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.link_one_way(a, b, {.mtu = 600});
  CHECK(send(net, a, b.address(), b, {1000}).told == base::errc::too_large);
  CHECK(send(net, b, a.address(), a, {1000}).received == 1);
}

TEST_CASE("a router with a narrow path is a black hole, or says so") {
  for (const bool reports : {false, true})
    for (const bool dont_fragment : {false, true}) {
      sim::network net(1);
      auto& r = net.add_router("r", {.nat = sim::nat_behaviour{}, .mtu = 1280, .reports_mtu = reports},
                               {base::ip_address::v4(203, 0, 113, 1)});
      auto& a = net.add_host_behind(r, "a", {"192.168.1.2"});
      auto& b = net.add_host("b", {"192.0.2.2"});
      const auto o = send(net, a, b.address(), b, {1300, dont_fragment});
      CHECK(o.received == 0);
      CHECK(o.told == (reports && dont_fragment ? std::optional(base::errc::too_large) : std::nullopt));
    }
}

TEST_CASE("a firewall that drops is silent, and one that rejects answers both ways") {
  for (const bool reject : {false, true}) {
    sim::network net(1);
    const sim::firewall_policy policy{.udp = false, .tcp_ports = std::vector<std::uint16_t>{443}, .reject = reject};
    auto& r = net.add_router("r", {.firewall = policy}, {});
    auto& a = net.add_host_behind(r, "a", {"198.51.100.2"});
    auto& b = net.add_host("b", {"192.0.2.2"});
    const auto blocked = reject ? std::optional(base::errc::unreachable) : std::nullopt;
    CHECK(send(net, a, b.address(), b, {}).told == blocked);
    CHECK(send(net, b, a.address(), a, {}).told == blocked);
    const auto silence = reject ? base::errc::refused : base::errc::timed_out;
    CHECK(net.run(connect(a, {b.address(), 80})) == silence);
    CHECK(net.run(connect(b, {a.address(), 80})) == silence);
    CHECK(net.run(connect(a, {b.address(), 443})) == base::errc::refused);  // by the host: nobody listens
  }
}

TEST_CASE("a firewall that begins to reject breaks what is open at once, and one that drops does not") {
  for (const bool reject : {false, true}) {
    sim::network net(1);
    auto& r = net.add_router("r", {}, {});
    auto& a = net.add_host_behind(r, "a", {"198.51.100.2"});
    auto& b = net.add_host("b", {"192.0.2.2"});
    net.run([](sim::router& r, sim::host& a, sim::host& b, bool reject) -> async::task<> {
      auto listener = *b.listen_tcp({b.address(), 80});
      auto client = *co_await a.connect_tcp(listener->local_endpoint());
      auto server = *co_await listener->accept();
      r.set_firewall({.tcp_ports = std::vector<std::uint16_t>{443}, .reject = reject});
      r.reboot();
      CHECK(co_await client->write(base::as_bytes("x")));
      co_await async::sleep_for(5s);
      const auto w = co_await client->write(base::as_bytes("y"));
      CHECK(w.has_value() != reject);
    }(r, a, b, reject));
  }
}

TEST_CASE("a router that knows no way for an address family says so") {
  sim::network net(1);
  auto& r = net.add_router("r", {.nat64 = true, .ipv6 = false}, {base::ip_address::v4(203, 0, 113, 1)});
  auto& a = net.add_host_behind(r, "a", {"2001:db8:1::2"});
  auto& b = net.add_host("b", {"2001:db8:2::2"});
  CHECK(send(net, a, b.address(), b, {}).told == base::errc::unreachable);
  CHECK(net.run(connect(a, {b.address(), 80})) == base::errc::unreachable);
}
