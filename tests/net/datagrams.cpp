#include <doctest/doctest.h>

#include "async/async.hpp"
#include "net/asio_host.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

base::endpoint loopback(base::ip_family f) { return {base::ip_address::loopback(f), 0}; }

base::bytes numbered(std::size_t n, std::size_t size) {
  base::bytes d(size, static_cast<std::uint8_t>(n * 7));
  for (std::size_t i = 0; i < 4 && i < size; ++i) d[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return d;
}

}  // namespace

TEST_CASE("datagrams go to and fro over IPv4 and IPv6 with the sender's address") {
  for (const auto family : {base::ip_family::v4, base::ip_family::v6}) {
    net::asio_host h;
    auto a = h.bind_udp(loopback(family));
    auto b = h.bind_udp(loopback(family));
    REQUIRE(a);
    REQUIRE(b);
    h.run([](net::udp_socket& from, net::udp_socket& to) -> async::task<> {
      CHECK(from.send(to.local_endpoint(), base::as_bytes("ping")));
      auto got = co_await to.receive();
      REQUIRE(got);
      REQUIRE(got->size() == 1);
      CHECK((*got)[0].peer == from.local_endpoint());
      CHECK(base::as_text((*got)[0].payload) == "ping");
    }(**a, **b));
  }
}

TEST_CASE("runs of equal and unequal sizes arrive whole and in order") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4));
  auto b = h.bind_udp(loopback(base::ip_family::v4), {.receive_buffer = 8u << 20});
  // Sizes that make long segmented runs, short last segments, single datagrams, empty ones, and the largest.
  const std::vector<std::size_t> sizes = {1200, 1200, 1200, 700, 1200, 1200, 4, 4, 4, 0, 1, 0, 9000, 9000, 100, 60000, 1200};
  h.run([&](net::udp_socket& from, net::udp_socket& to) -> async::task<> {
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = 0; i < sizes.size(); ++i) CHECK(from.send(to.local_endpoint(), numbered(i, sizes[i])));
      for (std::size_t i = 0; i < sizes.size();) {
        auto got = co_await to.receive();
        REQUIRE(got);
        for (const auto& d : *got) {
          REQUIRE(i < sizes.size());
          CHECK(base::to_bytes(d.payload) == numbered(i, sizes[i]));
          ++i;
        }
      }
    }
  }(**a, **b));
  CHECK((*a)->counters().sent == 5 * sizes.size());
  CHECK((*b)->counters().received == 5 * sizes.size());
  CHECK((*a)->queued_bytes() == 0);
}

TEST_CASE("an outbox that is full refuses and counts") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4), {.outbox_bytes = 3000});
  auto b = h.bind_udp(loopback(base::ip_family::v4));
  const base::bytes d(1000);
  CHECK((*a)->send((*b)->local_endpoint(), d));
  CHECK((*a)->send((*b)->local_endpoint(), d));
  CHECK((*a)->send((*b)->local_endpoint(), d));
  CHECK_FALSE((*a)->send((*b)->local_endpoint(), d));
  CHECK((*a)->counters().dropped_outbox_full == 1);
  CHECK((*a)->queued_bytes() == 3000);
}

TEST_CASE("a receiver that is cancelled ends and the socket works on") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4));
  h.run([](net::udp_socket& s) -> async::task<> {
    auto late = co_await async::with_timeout(1ms, s.receive());
    CHECK_FALSE(late);
    CHECK(late.error() == base::errc::timed_out);
    CHECK(s.send(s.local_endpoint(), base::as_bytes("me")));
    auto got = co_await s.receive();
    REQUIRE(got);
    CHECK(got->size() == 1);
  }(**a));
}

TEST_CASE("an unreachable port does not end a socket") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4));
  base::endpoint nobody;
  {
    auto gone = h.bind_udp(loopback(base::ip_family::v4));
    nobody = (*gone)->local_endpoint();
  }
  h.run([&](net::udp_socket& s) -> async::task<> {
    for (int i = 0; i < 3; ++i) {
      CHECK(s.send(nobody, base::as_bytes("x")));
      co_await async::yield();
      co_await async::sleep_for(1ms);
    }
    CHECK(s.send(s.local_endpoint(), base::as_bytes("still here")));
    auto got = co_await s.receive();
    REQUIRE(got);
    CHECK(base::as_text((*got)[0].payload) == "still here");
  }(**a));
}

TEST_CASE("a bound port is an error value") {
  net::asio_host h;
  auto a = h.bind_udp(loopback(base::ip_family::v4));
  auto again = h.bind_udp((*a)->local_endpoint());
  REQUIRE_FALSE(again);
  CHECK(again.error() == base::errc::in_use);
}
