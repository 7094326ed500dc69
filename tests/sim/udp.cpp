#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

async::task<std::string> receive_text(net::udp_socket& s) {
  const auto batch = co_await s.receive();
  REQUIRE(batch);
  co_return std::string(base::as_text(batch->front().payload));
}

}  // namespace

TEST_CASE("a datagram arrives after the link's latency, from the address it was sent from") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  auto& b = net.add_host("b", {"192.0.2.2", "2001:db8::2"});
  net.link(a, b, {.latency = 30ms});
  for (const auto n : {0u, 1u}) {
    net.run([](sim::network& net, sim::host& a, sim::host& b, unsigned n) -> async::task<> {
      auto sa = *a.bind_udp({base::ip_address::any(a.address(n).family()), 0});
      auto sb = *b.bind_udp({b.address(n), 4000});
      const auto begin = net.now();
      CHECK(sa->send(sb->local_endpoint(), base::as_bytes("hello")));
      const auto batch = co_await sb->receive();
      REQUIRE(batch);
      REQUIRE(batch->size() == 1);
      CHECK(net.now() - begin == 30ms);
      CHECK(base::as_text(batch->front().payload) == "hello");
      CHECK(batch->front().peer == base::endpoint{a.address(n), sa->local_endpoint().port});
      CHECK(sa->counters().sent == 1);
      CHECK(sb->counters().received_bytes == 5);
    }(net, a, b, n));
  }
}

TEST_CASE("a socket may be destroyed in the turn in which it sent") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  const auto text = net.run([](sim::host& a, sim::host& b) -> async::task<std::string> {
    auto sb = *b.bind_udp({b.address(), 4000});
    {
      auto sa = *a.bind_udp({a.address(), 0});
      sa->send(sb->local_endpoint(), base::as_bytes("bye"));
    }
    co_return co_await receive_text(*sb);
  }(a, b));
  CHECK(text == "bye");
}

TEST_CASE("ports are exclusive, unless both ask to share; foreign addresses cannot be bound") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto first = a.bind_udp({base::ip_address(), 5353});
  REQUIRE(first);
  CHECK(a.bind_udp({a.address(), 5353}).error() == base::errc::in_use);
  CHECK(a.bind_udp({base::ip_address::v4(192, 0, 2, 9), 0}).error() == base::errc::not_found);
  CHECK(a.bind_udp({base::ip_address::any(base::ip_family::v6), 5353}));
  auto one = a.bind_udp({base::ip_address(), 99}, {.reuse_address = true});
  CHECK(a.bind_udp({base::ip_address(), 99}, {.reuse_address = true}));
}

TEST_CASE("multicast reaches every member on every host, the sender's own included, and nobody else") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  auto& c = net.add_host("c", {"192.0.2.3"});
  const base::endpoint group{base::ip_address::v4(224, 0, 0, 251), 5353};
  net.run([](sim::network& net, sim::host& a, sim::host& b, sim::host& c, base::endpoint group) -> async::task<> {
    const net::udp_options member{.reuse_address = true, .multicast_group = group.address};
    auto sa = *a.bind_udp({base::ip_address(), 5353}, member);
    auto sb = *b.bind_udp({base::ip_address(), 5353}, member);
    auto sc = *c.bind_udp({base::ip_address(), 5353});
    sa->send(group, base::as_bytes("who is x.local?"));
    CHECK(co_await receive_text(*sb) == "who is x.local?");
    CHECK(co_await receive_text(*sa) == "who is x.local?");
    co_await async::sleep_for(1s);
    CHECK(sc->counters().received == 0);
  }(net, a, b, c, group));
}

TEST_CASE("a full outbox says so, and is empty again after the turn") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  net.run([](sim::host& a) -> async::task<> {
    auto s = *a.bind_udp({a.address(), 0}, {.outbox_bytes = 10});
    const base::endpoint to{base::ip_address::v4(192, 0, 2, 2), 9};
    CHECK(s->send(to, base::as_bytes("12345678")));
    CHECK_FALSE(s->send(to, base::as_bytes("123")));
    CHECK(s->counters().dropped_outbox_full == 1);
    CHECK(s->queued_bytes() == 8);
    co_await async::sleep_for(1ms);
    CHECK(s->queued_bytes() == 0);
    CHECK(s->send(to, base::as_bytes("123")));
  }(a));
}

TEST_CASE("a datagram to a port where nobody listens comes back as an error, one round trip later") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.all_links({.latency = 30ms});
  const base::endpoint closed{b.address(), 5000}, nobody{base::ip_address::v4(192, 0, 2, 99), 5000};
  const auto ask = [&](base::endpoint to) {
    return net.run([](sim::host& a, base::endpoint to) -> async::task<std::optional<base::duration>> {
      auto socket = *a.bind_udp({a.address(), 0});
      const auto start = a.now();
      std::optional<base::duration> told;
      socket->on_unreachable = [&](const base::endpoint& peer, base::errc why) {
        CHECK(peer == to);
        CHECK(why == base::errc::refused);
        told = a.now() - start;
      };
      socket->send(to, base::as_bytes("hello"));
      co_await async::sleep_for(1s);
      CHECK(socket->counters().unreachable == (told ? 1 : 0));
      co_return told;
    }(a, to));
  };
  CHECK(ask(closed) == 60ms);
  CHECK_FALSE(ask(nobody));
  b.set_refuses(false);
  CHECK_FALSE(ask(closed));
}
