#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

base::bytes pattern(std::size_t n) {
  base::bytes data(n);
  for (std::size_t i = 0; i < n; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return data;
}

async::task<base::bytes> read_all(net::stream& s) {
  base::bytes all, piece(10000);
  for (;;) {
    const auto n = co_await s.read(piece);
    REQUIRE(n);
    if (*n == 0) co_return all;
    base::append(all, base::byte_view(piece).first(*n));
  }
}

struct pair_of_streams {
  std::unique_ptr<net::stream> client, server;
};

async::task<pair_of_streams> connect(sim::host& a, sim::host& b) {
  auto listener = *b.listen_tcp({b.address(), 0});
  auto client = co_await a.connect_tcp(listener->local_endpoint());
  REQUIRE(client);
  auto server = co_await listener->accept();
  REQUIRE(server);
  pair_of_streams p{std::move(*client), std::move(*server)};
  co_return p;
}

}  // namespace

TEST_CASE("a TCP stream gives every byte once and in order over a link that loses and reorders") {
  sim::network net(7);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.link(a, b, {.latency = 5ms, .jitter = 3ms, .loss = 0.1, .duplicate = 0.1, .reorder = 0.2});
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto [client, server] = co_await connect(a, b);
    CHECK(client->remote_endpoint() == server->local_endpoint());
    CHECK(server->remote_endpoint() == client->local_endpoint());
    const auto data = pattern(1'000'000);
    const auto send = [](net::stream& s, base::byte_view data) -> async::task<> {
      CHECK(co_await s.write(data));
      CHECK(co_await s.finish());
    };
    auto [nothing, received] = co_await async::all_of(send(*client, data), read_all(*server));
    CHECK(received == data);
    // Half-closed: the other direction still works.
    auto [nothing2, back] = co_await async::all_of(send(*server, data), read_all(*client));
    CHECK(back == data);
  }(a, b));
}

TEST_CASE("a writer waits when the reader does not read") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto [client, server] = co_await connect(a, b);
    const auto data = pattern(2'000'000);
    auto early = co_await async::with_timeout(60s, client->write(data));
    CHECK(early.error() == base::errc::timed_out);
  }(a, b));
}

TEST_CASE("nobody listens: refused; no such machine: unreachable; a machine that is down: timed out") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::network& net, sim::host& a, sim::host& b) -> async::task<> {
    auto refused = co_await a.connect_tcp({b.address(), 80});
    CHECK(refused.error() == base::errc::refused);
    auto unreachable = co_await a.connect_tcp({base::ip_address::v4(198, 51, 100, 1), 80});
    CHECK(unreachable.error() == base::errc::unreachable);
    auto no_family = co_await a.connect_tcp({*base::ip_address::parse("2001:db8::1"), 80});
    CHECK(no_family.error() == base::errc::unreachable);
    auto listener = *b.listen_tcp({b.address(), 80});
    CHECK(b.listen_tcp({base::ip_address(), 80}).error() == base::errc::in_use);
    net.set_down(b);
    const auto begin = net.now();
    auto late = co_await a.connect_tcp({b.address(), 80});
    CHECK(late.error() == base::errc::timed_out);
    CHECK(net.now() - begin > 60s);
  }(net, a, b));
}

TEST_CASE("a machine that goes down resets its connections on both sides") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::network& net, sim::host& a, sim::host& b) -> async::task<> {
    auto [client, server] = co_await connect(a, b);
    const auto read_one = [](net::stream& s) -> async::task<base::error> {
      base::bytes piece(1);
      const auto n = co_await s.read(piece);
      co_return n ? base::error() : n.error();
    };
    const auto break_it = [](sim::network& net, sim::host& b) -> async::task<> {
      co_await async::sleep_for(1s);
      net.set_down(b);
    };
    auto [here, there, done] = co_await async::all_of(read_one(*client), read_one(*server), break_it(net, b));
    CHECK(here == base::errc::closed);
    CHECK(there == base::errc::closed);
    const auto w = co_await client->write(pattern(1));
    CHECK(w.error() == base::errc::closed);
  }(net, a, b));
}

TEST_CASE("a connection survives a partition that heals, and gives up on one that does not") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::network& net, sim::host& a, sim::host& b) -> async::task<> {
    auto [client, server] = co_await connect(a, b);
    net.partition(a, b);
    CHECK(co_await client->write(base::as_bytes("one")));
    co_await async::sleep_for(10s);
    net.heal(a, b);
    CHECK(co_await client->write(base::as_bytes("two")));
    base::bytes got;
    while (got.size() < 6) {
      base::bytes piece(10);
      const auto n = co_await server->read(piece);
      REQUIRE(n);
      base::append(got, base::byte_view(piece).first(*n));
    }
    CHECK(base::as_text(got) == "onetwo");
    net.partition(a, b);
    CHECK(co_await client->write(base::as_bytes("three")));
    base::bytes piece(1);
    const auto n = co_await client->read(piece);
    CHECK(n.error() == base::errc::timed_out);
  }(net, a, b));
}

TEST_CASE("close ends what is pending, the peer sees the end, and what it still writes is answered with a reset") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto [client, server] = co_await connect(a, b);
    const auto pending = [](net::stream& s) -> async::task<bool> {
      base::bytes piece(1);
      const auto n = co_await s.read(piece);
      co_return !n && n.error() == base::errc::closed;
    };
    const auto close = [](net::stream& s) -> async::task<> {
      CHECK(co_await s.write(base::as_bytes("last words")));
      s.close();
    };
    auto [ended, nothing] = co_await async::all_of(pending(*client), close(*client));
    CHECK(ended);
    CHECK(base::as_text(co_await read_all(*server)) == "last words");
    CHECK(co_await server->write(base::as_bytes("too late")));
    co_await async::sleep_for(1s);
    const auto w = co_await server->write(base::as_bytes("far too late"));
    CHECK(w.error() == base::errc::closed);
  }(a, b));
}
