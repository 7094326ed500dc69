#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "async/async.hpp"
#include "net/asio_host.hpp"

using namespace strata;

TEST_CASE("names and literals resolve, nonsense does not") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    auto literal = co_await host.resolve("192.0.2.7");
    REQUIRE(literal);
    CHECK(*literal == std::vector{base::ip_address::v4(192, 0, 2, 7)});
    auto here = co_await host.resolve("localhost");
    REQUIRE(here);
    CHECK(std::all_of(here->begin(), here->end(), [](const auto& a) { return a.is_loopback(); }));
    CHECK_FALSE((co_await host.resolve("")).has_value());
    CHECK_FALSE((co_await host.resolve("no.such.name.invalid")).has_value());
    CHECK_FALSE((co_await host.resolve(std::string(300, 'a'))).has_value());
  }(h));
}

TEST_CASE("the loopback interface is listed with its address and flags") {
  net::asio_host h;
  const auto all = h.interfaces();
  const auto lo = std::find_if(all.begin(), all.end(),
                               [](const auto& i) { return i.address == base::ip_address::loopback(base::ip_family::v4); });
  REQUIRE(lo != all.end());
  CHECK(lo->loopback);
  CHECK(lo->up);
  CHECK(lo->prefix_length == 8);
}

TEST_CASE("random octets differ and numbers stay below their bound") {
  net::asio_host h;
  CHECK(h.random_u64() != h.random_u64());
  for (int i = 0; i < 1000; ++i) CHECK(h.random_below(7) < 7);
}

TEST_CASE("a signal ends the wait for it") {
  net::asio_host h;
  const int got = h.run([](net::asio_host& host) -> async::task<int> {
    co_return co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<int> {
      s.spawn("sender", []() -> async::task<> {
        co_await async::yield();
        ::kill(::getpid(), SIGUSR1);
      });
      const auto watch = host.watch_signals({SIGUSR1, SIGUSR2});
      co_return co_await watch->next();
    });
  }(h));
  CHECK(got == SIGUSR1);
}

TEST_CASE("signals that come while nobody waits are not lost and do not end the process") {
  net::asio_host h;
  const auto watch = h.watch_signals({SIGUSR1, SIGHUP});
  ::kill(::getpid(), SIGUSR1);
  ::kill(::getpid(), SIGHUP);
  const auto got = h.run([](net::signal_watch& w) -> async::task<std::set<int>> {
    const int first = co_await w.next();
    co_return std::set<int>{first, co_await w.next()};
  }(*watch));
  CHECK(got == std::set<int>{SIGUSR1, SIGHUP});
}

TEST_CASE("another thread may post to the loop, in order") {
  net::asio_host h;
  async::channel<int> c(100);
  for (int i = 0; i < 10; ++i) h.post([&c, i] { CHECK(c.try_send(i)); });
  h.run([](async::channel<int>& in) -> async::task<> {
    for (int i = 0; i < 10; ++i) CHECK(*co_await in.receive() == i);
  }(c));
}

TEST_CASE("a host may be run again after a run that left it without work") {
  net::asio_host h;
  for (int i = 0; i < 3; ++i)
    h.run([](net::host& h) -> async::task<> {
      auto s = *h.bind_udp({base::ip_address::loopback(base::ip_family::v4), 0});
      s->send(s->local_endpoint(), base::as_bytes("to myself"));
      const auto got = co_await async::with_timeout(std::chrono::seconds(10), s->receive());
      REQUIRE(got);
      CHECK(base::as_text(got->front().payload) == "to myself");
    }(h));
}
