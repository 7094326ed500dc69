// ICE's TCP transport: peers, connections, and people who only want to hurt.
#include "net/framed_streams.hpp"

#include <doctest/doctest.h>

#include "async/async.hpp"
#include "net/asio_host.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;
using net::framed_mode;

namespace {

// Two machines of the simulator; b listens.
struct world {
  sim::network net{3};
  sim::host& a = net.add_host("a", {"192.0.2.1"});
  sim::host& b = net.add_host("b", {"192.0.2.2"});
};

std::unique_ptr<net::framed_streams> open(net::host& h, const base::endpoint& at, net::framed_options o) {
  auto s = net::framed_streams::open(h, at, std::move(o));
  REQUIRE(s);
  return std::move(*s);
}

std::unique_ptr<net::framed_streams> passive(world& w, net::framed_options o = {}) {
  return open(w.b, {w.b.address(), 7000}, std::move(o));
}
std::unique_ptr<net::framed_streams> active(world& w, net::framed_options o = {}) {
  o.mode = framed_mode::active;
  return open(w.a, {w.a.address(), 0}, std::move(o));
}

// Runs the body while the sockets are served.
template <class F>
async::task<> served(F body, std::vector<net::framed_streams*> sockets) {
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    for (auto* f : sockets) s.spawn("run", [](net::framed_streams* f) { return f->run(); }, f);
    co_await body();
  });
}

async::task<std::vector<std::string>> texts(net::udp_socket& s, std::size_t count, base::endpoint* from = nullptr) {
  std::vector<std::string> all;
  while (all.size() < count) {
    const auto got = co_await s.receive();
    REQUIRE(got);
    for (const auto& d : *got) {
      all.emplace_back(base::as_text(d.payload));
      if (from != nullptr) *from = d.peer;
    }
  }
  co_return all;
}

async::task<> there_and_back(net::framed_streams& a, net::framed_streams& b) {
  const auto to = b.local_endpoint();
  for (int n = 0; n < 3; ++n) CHECK(a.send(to, base::as_bytes("question " + std::to_string(n))));
  base::endpoint from;
  CHECK(co_await texts(b, 3, &from) == std::vector<std::string>{"question 0", "question 1", "question 2"});
  CHECK(from.address == a.local_endpoint().address);
  CHECK(b.send(from, base::as_bytes("answer")));
  base::endpoint server;
  CHECK(co_await texts(a, 1, &server) == std::vector<std::string>{"answer"});
  CHECK(server == to);
  CHECK(a.connections() == 1);
  CHECK(b.connections() == 1);
  CHECK(a.counters().sent == 3);
  CHECK(b.counters().received == 3);
}

base::bytes framed(std::string_view text) {
  base::bytes out;
  net::append_frame(out, base::as_bytes(text));
  return out;
}

}  // namespace

// req: 6544-3-a 6544-10.1-a
TEST_CASE("an active socket connects when it has something to say; the answer comes back over its connection") {
  world w;
  const auto a = active(w), b = passive(w);
  CHECK(a->local_endpoint() == base::endpoint{w.a.address(), 0});
  w.net.run(served([&]() { return there_and_back(*a, *b); }, {a.get(), b.get()}));
  CHECK(a->connections_counted().connected == 1);
  CHECK(b->connections_counted().accepted == 1);
}

TEST_CASE("the same on this machine, over IPv4 and IPv6") {
  for (const auto family : {base::ip_family::v4, base::ip_family::v6}) {
    net::asio_host h;
    const base::endpoint here{base::ip_address::loopback(family), 0};
    const auto a = open(h, here, {.mode = framed_mode::active}), b = open(h, here, {});
    h.run(served([&]() { return there_and_back(*a, *b); }, {a.get(), b.get()}));
  }
}

TEST_CASE("datagrams of every size, more than any buffer holds, arrive whole and in order") {
  const auto flood = [](net::framed_streams& a, net::framed_streams& b) -> async::task<> {
    constexpr std::size_t count = 400;
    const auto size = [](std::size_t n) { return 1 + n * 7919 % 65535; };
    std::size_t sent = 0, received = 0;
    while (received < count) {
      while (sent < count && a.send(b.local_endpoint(), base::bytes(size(sent), static_cast<std::uint8_t>(sent)))) ++sent;
      const auto got = co_await b.receive();
      REQUIRE(got);
      for (const auto& d : *got) {
        CHECK(d.payload.size() == size(received));
        CHECK(d.payload.back() == static_cast<std::uint8_t>(received));
        ++received;
      }
    }
    CHECK(a.counters().dropped_outbox_full > 0);
  };
  world w;
  const auto a = active(w), b = passive(w);
  w.net.run(served([&]() { return flood(*a, *b); }, {a.get(), b.get()}));
  net::asio_host h;
  const base::endpoint here{base::ip_address::loopback(base::ip_family::v4), 0};
  const auto c = open(h, here, {.mode = framed_mode::active}), d = open(h, here, {});
  h.run(served([&]() { return flood(*c, *d); }, {c.get(), d.get()}));
}

// req: 6544-7.1-b
TEST_CASE("a connection that cannot be made is reported at once, and so is one that ends; the next datagram tries again") {
  world w;
  const auto a = active(w);
  const base::endpoint to{w.b.address(), 7000};
  std::vector<base::errc> told;
  async::event news;
  a->on_unreachable = [&](const base::endpoint& peer, base::errc why) {
    CHECK(peer == to);
    told.push_back(why);
    news.set();
  };
  w.net.run(served(
      [&]() -> async::task<> {
        const auto start = w.a.now();
        a->send(to, base::as_bytes("anybody?"));
        co_await news.wait();
        CHECK(told == std::vector{base::errc::refused});
        CHECK(w.a.now() - start == 20ms);
        CHECK(a->connections() == 0);
        CHECK(a->queued_bytes() == 0);
        CHECK(a->counters().dropped_by_kernel == 1);

        news.reset();
        const auto listener = w.b.listen_tcp(to);
        a->send(to, base::as_bytes("hello"));
        auto s = co_await (*listener)->accept();
        base::bytes got(7);
        CHECK(*co_await (*s)->read(got) == 7);
        CHECK(got == framed("hello"));
        (*s)->close();
        co_await news.wait();
        CHECK(told == std::vector{base::errc::refused, base::errc::closed});

        news.reset();
        w.net.partition(w.a, w.b);
        a->send(to, base::as_bytes("hello"));
        co_await news.wait();
        CHECK(told.back() == base::errc::unreachable);
      },
      {a.get()}));
}

TEST_CASE("a listening socket makes no connection, and none is made to nowhere") {
  world w;
  const auto a = active(w), b = passive(w);
  w.net.run(served(
      [&]() -> async::task<> {
        CHECK(b->send({w.a.address(), 5000}, base::as_bytes("hello")));
        CHECK(a->send({w.b.address(), 0}, base::as_bytes("hello")));
        CHECK(a->send({*base::ip_address::parse("2001:db8::1"), 7000}, base::as_bytes("hello")));
        CHECK(a->send({w.b.address(), 7000}, base::bytes(65536)));
        co_await async::sleep_for(1s);
      },
      {a.get(), b.get()}));
  CHECK(a->connections_counted().connected == 0);
  CHECK(a->counters().dropped_by_kernel == 3);
  CHECK(b->counters().dropped_by_kernel == 1);
}

// req: 6544-7.2-a
TEST_CASE("who connects and says nothing, or nothing sensible, is gone soon and nobody hears of it") {
  const auto fate = [](base::bytes words, bool drip) {
    world w;
    const auto b = passive(w, {.sensible = [](base::byte_view f) { return base::as_text(f) == "open sesame"; }});
    bool reported = false;
    b->on_unreachable = [&](const base::endpoint&, base::errc) { reported = true; };
    base::duration lasted{};
    w.net.run(served(
        [&]() -> async::task<> {
          auto s = co_await w.a.connect_tcp(b->local_endpoint());
          const auto start = w.a.now();
          co_await async::with_scope(async::at_end::cancel, [&](async::scope& scope) -> async::task<> {
            scope.spawn("talk", [&]() -> async::task<> {
              if (!drip) (void)co_await (*s)->write(words);
              else
                for (std::size_t n = 0; n < words.size(); ++n) {
                  (void)co_await (*s)->write(base::byte_view(words).subspan(n, 1));
                  co_await async::sleep_for(1s);
                }
            });
            base::bytes buffer(100);
            const auto n = co_await (*s)->read(buffer);
            CHECK((!n || *n == 0));
            lasted = w.a.now() - start;
          });
          CHECK(b->connections() == 0);
        },
        {b.get()}));
    CHECK_FALSE(reported);
    CHECK(b->counters().received == 0);
    CHECK(b->connections_counted().speechless + b->connections_counted().too_large == 1);
    return lasted;
  };
  CHECK(fate({}, false) == 10s);
  CHECK(fate(framed("open sesame"), true) < 11s);
  CHECK(fate(framed("GET / HTTP/1.1"), false) < 1s);
  CHECK(fate(base::to_bytes(base::as_bytes("GET / HTTP/1.1\r\n\r\n")), false) < 1s);
  CHECK(fate(framed(""), false) < 1s);
  CHECK(fate({0xff, 0xff, 1, 2, 3}, false) < 1s);
}

TEST_CASE("there is room for so many; who has spoken stays, the silent give way to who comes later") {
  world w;
  const auto b = passive(w, {.connections = 3});
  w.net.run(served(
      [&]() -> async::task<> {
        std::vector<std::unique_ptr<net::stream>> crowd;
        const auto come = [&](bool speak) -> async::task<> {
          auto s = co_await w.a.connect_tcp(b->local_endpoint());
          REQUIRE(s);
          if (speak) (void)co_await (*s)->write(framed("hello"));
          crowd.push_back(std::move(*s));
          co_await async::sleep_for(100ms);
        };
        co_await come(true);
        for (int n = 0; n < 20; ++n) co_await come(false);
        CHECK(b->connections() == 3);
        CHECK(b->connections_counted().no_room == 18);
        co_await come(true);
        co_await come(true);
        CHECK(b->connections() == 3);
        CHECK(b->counters().received == 3);
        // Now everybody in the room has spoken: nobody else comes in.
        co_await come(true);
        CHECK(b->connections() == 3);
        CHECK(b->counters().received == 3);
        base::bytes buffer(10);
        const auto n = co_await crowd.back()->read(buffer);
        CHECK((!n || *n == 0));
        b->send(crowd.front()->local_endpoint(), base::as_bytes("still here"));
        CHECK(*co_await crowd.front()->read(buffer) == 10);
      },
      {b.get()}));
}

TEST_CASE("a peer that does not read is sent so much and no more, and is dropped after a while") {
  world w;
  const auto a = active(w, {.outbox_bytes = 64 << 10});
  std::optional<base::errc> told;
  a->on_unreachable = [&](const base::endpoint&, base::errc why) { told = why; };
  w.net.run(served(
      [&]() -> async::task<> {
        const base::endpoint to{w.b.address(), 7000};
        const auto listener = w.b.listen_tcp(to);
        const base::bytes large(30000, 1);
        CHECK(a->send(to, large));
        CHECK(a->send(to, large));
        CHECK_FALSE(a->send(to, large));  // also before it is connected
        auto s = co_await (*listener)->accept();
        for (int n = 0; n < 100; ++n) {
          a->send(to, large);
          CHECK(a->queued_bytes() <= 64 << 10);
          co_await async::sleep_for(10ms);
        }
        CHECK_FALSE(told);
        co_await async::sleep_for(40s);
        CHECK(told == base::errc::unreachable);
        CHECK(a->connections_counted().stalled == 1);
        CHECK(a->connections() == 0);
        CHECK(a->queued_bytes() == 0);
      },
      {a.get()}));
}

TEST_CASE("what nobody receives is not read: the peer has to wait, and everything arrives in the end") {
  world w;
  const auto a = active(w), b = passive(w, {.inbox_bytes = 10000});
  w.net.run(served(
      [&]() -> async::task<> {
        std::size_t sent = 0;
        for (int n = 0; n < 2000; ++n) {
          if (a->send(b->local_endpoint(), base::bytes(1200, 1))) ++sent;
          co_await async::sleep_for(1ms);
        }
        CHECK(sent < 2000);
        CHECK(b->counters().received_bytes <= 10000 + 1200);
        std::size_t got = 0;
        while (got < sent) {
          const auto batch = co_await b->receive();
          REQUIRE(batch);
          got += batch->size();
        }
        CHECK(got == sent);
      },
      {a.get(), b.get()}));
}

TEST_CASE("two sockets that call each other at once meet in one connection") {
  const auto meet = [](net::framed_streams& a, net::framed_streams& b) -> async::task<> {
    CHECK(a.send(b.local_endpoint(), base::as_bytes("from a")));
    CHECK(b.send(a.local_endpoint(), base::as_bytes("from b")));
    CHECK(co_await texts(a, 1) == std::vector<std::string>{"from b"});
    CHECK(co_await texts(b, 1) == std::vector<std::string>{"from a"});
    CHECK(a.connections() == 1);
    CHECK(b.connections() == 1);
  };
  const net::framed_options both{.mode = framed_mode::simultaneous};
  for (const bool delayed : {false, true}) {
    world w;
    // With another delay one call arrives before the other has begun, or while it is under way.
    w.net.link_one_way(w.a, w.b, {.latency = 30ms});
    w.net.link_one_way(w.b, w.a, {.latency = delayed ? 1ms : 30ms});
    const auto a = open(w.a, {w.a.address(), 7000}, both), b = open(w.b, {w.b.address(), 7001}, both);
    w.net.run(served([&]() { return meet(*a, *b); }, {a.get(), b.get()}));
  }
  net::asio_host h;
  const base::endpoint here{base::ip_address::loopback(base::ip_family::v4), 0};
  const auto a = open(h, here, both), b = open(h, here, both);
  h.run(served([&]() { return meet(*a, *b); }, {a.get(), b.get()}));
}

TEST_CASE("a peer whose connection came first is answered over it, also by a socket that could have called") {
  world w;
  const net::framed_options both{.mode = framed_mode::simultaneous};
  const auto a = open(w.a, {w.a.address(), 7000}, both), b = open(w.b, {w.b.address(), 7001}, both);
  w.net.run(served([&]() { return there_and_back(*a, *b); }, {a.get(), b.get()}));
  CHECK(b->connections_counted().connected == 0);
}

// req: 6544-11.1-a
TEST_CASE("a connection that is not wanted any more is closed, and the owner is not told what it did itself") {
  world w;
  const auto a = active(w), b = passive(w);
  bool told = false;
  a->on_unreachable = [&](const base::endpoint&, base::errc) { told = true; };
  w.net.run(served(
      [&]() -> async::task<> {
        a->send(b->local_endpoint(), base::as_bytes("hello"));
        (void)co_await texts(*b, 1);
        a->disconnect(b->local_endpoint());
        co_await async::sleep_for(1s);
        CHECK(a->connections() == 0);
        CHECK(b->connections() == 0);
        a->disconnect(b->local_endpoint());
      },
      {a.get(), b.get()}));
  CHECK_FALSE(told);
}

TEST_CASE("when it is served no longer, receiving says so and connections are closed") {
  world w;
  const auto a = active(w), b = passive(w);
  w.net.run(served(
      [&]() -> async::task<> {
        a->send(b->local_endpoint(), base::as_bytes("hello"));
        (void)co_await texts(*b, 1);
      },
      {a.get(), b.get()}));
  w.net.run([](net::framed_streams& a, net::framed_streams& b) -> async::task<> {
    CHECK((co_await a.receive()).error() == base::errc::closed);
    CHECK((co_await b.receive()).error() == base::errc::closed);
    CHECK(a.send(b.local_endpoint(), base::as_bytes("hello")));
    CHECK(a.connections() == 0);
  }(*a, *b));
}
