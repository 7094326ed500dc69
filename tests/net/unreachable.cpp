// What the network says of datagrams that did not get there.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "namespace.hpp"
#include "net/asio_host.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

base::endpoint loopback(base::ip_family f) { return {base::ip_address::loopback(f), 0}; }

struct report {
  base::endpoint peer;
  base::errc why;
  friend bool operator==(const report&, const report&) = default;
};

// Everything that the socket is told until `enough` says so.
async::task<std::vector<report>> listen(net::udp_socket& socket, std::size_t enough, async::task<> meanwhile) {
  std::vector<report> all;
  async::event done;
  socket.on_unreachable = [&](const base::endpoint& peer, base::errc why) {
    all.push_back({peer, why});
    if (all.size() >= enough) done.set();
  };
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("receive", [&]() -> async::task<> {
      while (co_await socket.receive()) {
      }
    });
    co_await std::move(meanwhile);
    auto told = [](async::event& e) -> async::task<> { co_await e.wait(); }(done);
    CHECK(co_await async::with_timeout(10s, std::move(told)));
  });
  socket.on_unreachable = {};
  co_return all;
}

base::endpoint closed_port(net::host& h, base::ip_family f) { return (*h.bind_udp(loopback(f)))->local_endpoint(); }

}  // namespace

TEST_CASE("a datagram to a closed port is reported with the address it went to") {
  for (const auto family : {base::ip_family::v4, base::ip_family::v6}) {
    net::asio_host h;
    auto socket = h.bind_udp(loopback(family));
    REQUIRE(socket);
    const auto closed = closed_port(h, family), another = closed_port(h, family);
    const auto told = h.run(listen(**socket, 2, [](net::udp_socket& s, auto one, auto two) -> async::task<> {
      s.send(one, base::as_bytes("hello"));
      s.send(two, base::as_bytes("hello"));
      co_return;
    }(**socket, closed, another)));
    const bool in_order = told == std::vector<report>{{closed, base::errc::refused}, {another, base::errc::refused}};
    CHECK(in_order);
    CHECK((*socket)->counters().unreachable == 2);
    CHECK((*socket)->counters().dropped_by_kernel == 0);
  }
}

TEST_CASE("errors of one peer cost the others nothing, and nobody needs to listen to them") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4));
  auto b = h.bind_udp(loopback(base::ip_family::v4));
  const auto closed = closed_port(h, base::ip_family::v4);
  h.run([](net::udp_socket& a, net::udp_socket& b, base::endpoint closed) -> async::task<> {
    for (int round = 0; round < 200; ++round) {
      a.send(closed, base::as_bytes("nobody"));
      a.send(b.local_endpoint(), base::as_bytes("ping"));
      a.send(closed, base::as_bytes("nobody"));
      const auto ping = co_await b.receive();
      REQUIRE(ping);
      CHECK(ping->size() == 1);
      b.send(a.local_endpoint(), base::as_bytes("pong"));
      const auto pong = co_await a.receive();
      REQUIRE(pong);
      CHECK(pong->size() == 1);
    }
  }(**a, **b, closed));
  CHECK((*a)->counters().sent == 600);
}

TEST_CASE("what is too large for the link is reported when datagrams must not be cut, and cut when they may") {
  test::in_a_namespace([] {
    if (!test::loopback_up() || !test::configure("lo", SIOCSIFMTU, [](ifreq& r) { r.ifr_mtu = 1500; })) return 1;
    net::asio_host h;
    auto whole = h.bind_udp(loopback(base::ip_family::v4), {.dont_fragment = true});
    auto cut = h.bind_udp(loopback(base::ip_family::v4));
    const auto to = (*cut)->local_endpoint();
    const base::bytes large(3000, 'x'), small(1472, 'x');
    const auto told = h.run(listen(**whole, 1, [](net::udp_socket& s, auto to, auto data) -> async::task<> {
      s.send(to, data);
      co_return;
    }(**whole, to, large)));
    if (told != std::vector<report>{{to, base::errc::too_large}}) return 2;
    if ((*whole)->counters().dropped_by_kernel != 1) return 3;
    return h.run([](net::udp_socket& whole, net::udp_socket& cut, base::bytes large, base::bytes small) -> async::task<int> {
      whole.send(cut.local_endpoint(), small);
      const auto fits = co_await cut.receive();
      if (!fits || (*fits)[0].payload.size() != small.size()) co_return 4;
      cut.send(whole.local_endpoint(), large);
      const auto got = co_await whole.receive();
      co_return got && (*got)[0].payload.size() == large.size() ? test::proved : 5;
    }(**whole, **cut, large, small));
  });
}

TEST_CASE("no way there is reported by the machine itself") {
  test::in_a_namespace([] {
    if (!test::loopback_up()) return 1;
    net::asio_host h;
    auto socket = h.bind_udp({base::ip_address::any(base::ip_family::v4), 0});
    const base::endpoint far{base::ip_address::v4(192, 0, 2, 1), 9};
    const auto told = h.run(listen(**socket, 1, [](net::udp_socket& s, auto to) -> async::task<> {
      s.send(to, base::as_bytes("hello"));
      co_return;
    }(**socket, far)));
    return told == std::vector<report>{{far, base::errc::unreachable}} ? test::proved : 2;
  });
}
