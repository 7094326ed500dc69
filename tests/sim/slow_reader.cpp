// A host whose programs read slowly: the peers feel it.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t window = 256 << 10, pipe_size = 208 << 10;

async::task<std::size_t> read_all(net::stream& s) {
  std::size_t all = 0;
  base::bytes piece(64 << 10);
  for (;;) {
    const auto n = co_await s.read(piece);
    if (!n || *n == 0) co_return all;
    all += *n;
  }
}

// How long the writer was held up, and the reader busy.
struct times {
  base::duration writing{}, reading{};
};

async::task<times> transfer(async::loop& clock, net::stream& from, net::stream& to, std::size_t bytes) {
  const auto begin = clock.now();
  const auto write = [](async::loop& clock, net::stream& s, std::size_t bytes) -> async::task<base::instant> {
    CHECK(co_await s.write(base::bytes(bytes)));
    const auto done = clock.now();
    CHECK(co_await s.finish());
    co_return done;
  };
  auto [written, read] = co_await async::all_of(write(clock, from, bytes), read_all(to));
  CHECK(read == bytes);
  co_return times{written - begin, clock.now() - begin};
}

}  // namespace

TEST_CASE("a TCP writer waits for a slow reader, but for the window") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  constexpr std::size_t bytes = 1'000'000, rate = 100'000;
  for (const bool slow : {false, true}) {
    b.set_receive_rate(slow ? rate : 0);
    const auto t = net.run([](sim::host& a, sim::host& b) -> async::task<times> {
      auto listener = *b.listen_tcp({b.address(), 80});
      auto client = *co_await a.connect_tcp(listener->local_endpoint());
      auto server = *co_await listener->accept();
      co_return co_await transfer(a.loop(), *client, *server, bytes);
    }(a, b));
    if (!slow) {
      CHECK(t.reading < 1s);
    } else {
      CHECK(t.reading >= 9900ms);
      CHECK(t.reading < 10500ms);
      // What is in the window when the writer is done is still to be read.
      CHECK(t.reading - t.writing > 1s * (window - (window / 4) - rate / 20) / rate);
      CHECK(t.writing > 7s);
    }
  }
}

TEST_CASE("a local writer waits for a slow reader, but for the pipe") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  a.set_receive_rate(100'000);
  const auto t = net.run([](sim::host& a) -> async::task<times> {
    auto listener = *a.listen_local("/run/a");
    auto client = *co_await a.connect_local("/run/a");
    auto server = *co_await listener->accept();
    co_return co_await transfer(a.loop(), *client, *server, 500'000);
  }(a));
  CHECK(t.reading >= 4900ms);
  CHECK(t.reading < 5200ms);
  CHECK(t.writing > 2500ms);
  CHECK(t.reading - t.writing > 1s * (pipe_size - 5000) / 100'000 - 100ms);
}

TEST_CASE("datagrams that nobody reads fill the inbox, and the rest is dropped and said to be") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  std::vector<std::string> dropped;
  net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::dropped) dropped.emplace_back(e.reason);
  });
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto from = *a.bind_udp({a.address(), 1});
    auto to = *b.bind_udp({b.address(), 2}, {.receive_buffer = 1000});
    for (int n = 0; n < 15; ++n) from->send(to->local_endpoint(), base::bytes(100));
    co_await async::sleep_for(1s);
    CHECK(to->counters().received == 10);
    CHECK(from->counters().unreachable == 0);
    CHECK((co_await to->receive())->size() == 10);
  }(a, b));
  CHECK(dropped == std::vector<std::string>(5, "inbox full"));
}

TEST_CASE("a slow reader of datagrams loses what its inbox cannot hold, and no more") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  b.set_receive_rate(1000);
  net.run([](sim::network& net, sim::host& a, sim::host& b) -> async::task<> {
    auto from = *a.bind_udp({a.address(), 1});
    auto to = *b.bind_udp({b.address(), 2}, {.receive_buffer = 1000});
    std::size_t read = 0;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("reader", [&]() -> async::task<> {
        for (;;) {
          const auto batch = co_await to->receive();
          read += batch->size();
        }
      });
      // Twice as fast as they are read, for ten seconds.
      for (int n = 0; n < 200; ++n) {
        from->send(to->local_endpoint(), base::bytes(100));
        co_await async::sleep_for(50ms);
      }
      CHECK(read >= 99);
      CHECK(read <= 101);
      co_await async::sleep_for(5s);
    });
    CHECK(read == to->counters().received);
    CHECK(read >= 109);
    CHECK(read <= 111);
  }(net, a, b));
}

TEST_CASE("close ends a read that waits for its turn") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  b.set_receive_rate(100);
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto listener = *b.listen_tcp({b.address(), 80});
    auto client = *co_await a.connect_tcp(listener->local_endpoint());
    auto server = *co_await listener->accept();
    CHECK(co_await client->write(base::bytes(1000)));
    const auto close = [](net::stream& s) -> async::task<> {
      co_await async::sleep_for(1s);
      s.close();
    };
    auto [read, nothing] = co_await async::all_of(read_all(*server), close(*server));
    CHECK(read < 120);
  }(a, b));
}
