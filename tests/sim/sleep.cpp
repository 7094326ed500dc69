// A machine that sleeps: silence for its peers, and nothing that tells them why.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

struct pair_of_hosts {
  sim::network net{1};
  sim::host& a = net.add_host("a", {"192.0.2.1"});
  sim::host& b = net.add_host("b", {"192.0.2.2"});
  std::vector<std::string> dropped;
  pair_of_hosts() {
    net.tap([this](const sim::packet_event& e) {
      if (e.what == sim::packet_event::moment::dropped) dropped.emplace_back(e.reason);
    });
  }
};

struct streams {
  std::unique_ptr<net::stream> client, server;
};

async::task<streams> connect(sim::host& a, sim::host& b) {
  auto listener = *b.listen_tcp({b.address(), 80});
  auto client = co_await a.connect_tcp(listener->local_endpoint());
  REQUIRE(client);
  auto server = co_await listener->accept();
  REQUIRE(server);
  streams s{std::move(*client), std::move(*server)};
  co_return s;
}

async::task<std::string> read_some(net::stream& s) {
  base::bytes piece(100);
  const auto n = co_await s.read(piece);
  co_return n ? std::string(base::as_text(base::byte_view(piece).first(*n))) : n.error().message();
}

}  // namespace

TEST_CASE("datagrams to and from a sleeping machine vanish, and nobody is told") {
  pair_of_hosts p;
  p.net.run([](pair_of_hosts& p) -> async::task<> {
    auto here = *p.a.bind_udp({p.a.address(), 1});
    auto there = *p.b.bind_udp({p.b.address(), 2});
    p.net.set_asleep(p.b);
    here->send(there->local_endpoint(), base::as_bytes("x"));
    here->send({p.b.address(), 99}, base::as_bytes("nobody listens"));
    there->send(here->local_endpoint(), base::as_bytes("y"));
    co_await async::sleep_for(1s);
    CHECK(here->counters().received + there->counters().received == 0);
    CHECK(here->counters().unreachable == 0);
    p.net.wake(p.b);
    here->send(there->local_endpoint(), base::as_bytes("x"));
    there->send(here->local_endpoint(), base::as_bytes("y"));
    co_await async::sleep_for(1s);
    CHECK(here->counters().received == 1);
    CHECK(there->counters().received == 1);
  }(p));
  CHECK(p.dropped == std::vector<std::string>{"sender is asleep", "receiver is asleep", "receiver is asleep"});
}

TEST_CASE("a TCP connection outlives a short sleep of either end, and gives every byte in order") {
  pair_of_hosts p;
  p.net.run([](pair_of_hosts& p) -> async::task<> {
    auto [client, server] = co_await connect(p.a, p.b);
    p.net.set_asleep(p.b);
    CHECK(co_await client->write(base::as_bytes("to the sleeper")));
    CHECK(co_await server->write(base::as_bytes("one ")));
    CHECK(co_await server->write(base::as_bytes("two")));
    co_await async::sleep_for(5min);
    p.net.wake(p.b);
    std::string got;
    while (got.size() < 7) got += co_await read_some(*client);
    CHECK(got == "one two");
    CHECK(co_await read_some(*server) == "to the sleeper");
  }(p));
}

TEST_CASE("after a long sleep the peer has given up, and the sleeper learns so when it speaks") {
  pair_of_hosts p;
  p.net.run([](pair_of_hosts& p) -> async::task<> {
    auto [client, server] = co_await connect(p.a, p.b);
    p.net.set_asleep(p.b);
    CHECK(co_await client->write(base::as_bytes("hello?")));
    CHECK(co_await read_some(*client) == base::error(base::errc::timed_out).message());
    p.net.wake(p.b);
    CHECK(co_await server->write(base::as_bytes("good morning")));
    CHECK(co_await read_some(*server) == base::error(base::errc::closed).message());
  }(p));
}

TEST_CASE("a sleeping machine is not found by connects, and finds no names") {
  pair_of_hosts p;
  p.net.run([](pair_of_hosts& p) -> async::task<> {
    auto listener = *p.b.listen_tcp({p.b.address(), 80});
    p.net.set_asleep(p.b);
    CHECK((co_await p.a.connect_tcp(listener->local_endpoint())).error() == base::errc::timed_out);
    CHECK((co_await p.b.resolve("a")).error() == base::errc::timed_out);
    p.net.wake(p.b);
    CHECK(co_await p.b.resolve("a"));
    CHECK(co_await p.a.connect_tcp(listener->local_endpoint()));
  }(p));
}

TEST_CASE("a machine that is switched off in its sleep resets its connections and says nothing of what it kept") {
  pair_of_hosts p;
  p.net.run([](pair_of_hosts& p) -> async::task<> {
    auto [client, server] = co_await connect(p.a, p.b);
    p.net.set_asleep(p.b);
    CHECK(co_await server->write(base::as_bytes("never said")));
    p.net.set_down(p.b);
    CHECK(co_await read_some(*client) == base::error(base::errc::closed).message());
  }(p));
}
