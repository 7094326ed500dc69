#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "async/async.hpp"
#include "net/asio_host.hpp"

using namespace strata;

namespace {

const base::endpoint any_port{base::ip_address::loopback(base::ip_family::v4), 0};

struct temporary_directory {
  std::string path = "/tmp/strata-net-XXXXXX";
  temporary_directory() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~temporary_directory() {
    ::unlink((path + "/s").c_str());
    ::rmdir(path.c_str());
  }
};

async::task<std::size_t> read_to_end(net::stream& s) {
  base::bytes buffer(10000);
  std::size_t total = 0;
  for (;;) {
    auto n = co_await s.read(buffer);
    REQUIRE(n);
    if (*n == 0) co_return total;
    total += *n;
  }
}

}  // namespace

TEST_CASE("a large transfer passes through a half-closed stream and the other direction stays open") {
  net::asio_host h;
  auto l = h.listen_tcp(any_port);
  REQUIRE(l);
  h.run([](net::asio_host& host, net::listener& listener) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("server", [&]() -> async::task<> {
        auto c = co_await listener.accept();
        REQUIRE(c);
        const auto total = co_await read_to_end(**c);
        CHECK(total == 5'000'000);
        CHECK((co_await (*c)->write(base::as_bytes("thanks"))).has_value());
      });
      auto c = co_await host.connect_tcp(listener.local_endpoint());
      REQUIRE(c);
      const base::bytes data(5'000'000, 42);
      CHECK((co_await (*c)->write(data)).has_value());
      CHECK((co_await (*c)->finish()).has_value());
      CHECK((co_await read_to_end(**c)) == 6);
    });
  }(h, **l));
}

TEST_CASE("connecting to nobody is refused") {
  net::asio_host h;
  base::endpoint nobody;
  {
    auto l = h.listen_tcp(any_port);
    nobody = (*l)->local_endpoint();
  }
  h.run([](net::asio_host& host, base::endpoint to) -> async::task<> {
    auto c = co_await host.connect_tcp(to);
    REQUIRE_FALSE(c);
    CHECK(c.error() == base::errc::refused);
  }(h, nobody));
}

TEST_CASE("close ends a read that is in flight") {
  net::asio_host h;
  auto l = h.listen_tcp(any_port);
  h.run([](net::asio_host& host, net::listener& listener) -> async::task<> {
    auto c = co_await host.connect_tcp(listener.local_endpoint());
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("reader", [&]() -> async::task<> {
        base::bytes buffer(10);
        auto n = co_await (*c)->read(buffer);
        CHECK((!n || *n == 0));
      });
      co_await async::yield();
      (*c)->close();
    });
  }(h, **l));
}

TEST_CASE("a local socket is the user's alone, knows its peer, and replaces a stale file but no living one") {
  temporary_directory d;
  const auto path = d.path + "/s";
  net::asio_host h;
  {
    auto l = h.listen_local(path);
    REQUIRE(l);
    struct stat info{};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(h.listen_local(path).error() == base::errc::in_use);
    h.run([](net::asio_host& host, net::listener& listener, std::string p) -> async::task<> {
      auto c = co_await host.connect_local(p);
      REQUIRE(c);
      auto served = co_await listener.accept();
      REQUIRE(served);
      const auto who = (*served)->credentials();
      REQUIRE(who);
      CHECK(who->uid == ::getuid());
      CHECK(who->pid == ::getpid());
      CHECK_FALSE((co_await host.connect_local(p + "x")).has_value());
    }(h, **l, path));
  }
  CHECK(h.listen_local(path).has_value());
  CHECK_FALSE(h.listen_local("/nonexistent/directory/s").has_value());
  CHECK_FALSE(h.listen_local(std::string(200, 'x')).has_value());
}
