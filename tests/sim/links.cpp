#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

// Numbers in the order in which they arrived, and when the last did.
struct arrivals {
  std::vector<std::uint32_t> numbers;
  base::duration took{};
  std::uint64_t hash = 0;
};

arrivals send_many(std::uint64_t seed, const sim::impairments& link, std::uint32_t count, base::duration gap = 1ms,
                   std::size_t size = 4) {
  sim::network net(seed);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.link(a, b, link);
  arrivals result;
  auto from = *a.bind_udp({a.address(), 1});
  auto to = *b.bind_udp({b.address(), 2});
  const auto sender = [](net::udp_socket& s, base::endpoint to, std::uint32_t count, base::duration gap,
                         std::size_t size) -> async::task<> {
    for (std::uint32_t n = 0; n < count; ++n) {
      base::bytes data(size);
      for (unsigned i = 0; i < 4; ++i) data[i] = static_cast<std::uint8_t>(n >> i * 8);
      s.send(to, data);
      co_await async::sleep_for(gap);
    }
  };
  const auto receiver = [](sim::network& net, net::udp_socket& s, arrivals& result) -> async::task<> {
    const auto begin = net.now();
    for (;;) {
      const auto batch = co_await s.receive();
      for (const auto& d : *batch) {
        std::uint32_t n = 0;
        for (unsigned i = 0; i < 4; ++i) n |= std::uint32_t{d.payload[i]} << i * 8;
        result.numbers.push_back(n);
      }
      result.took = net.now() - begin;
    }
  };
  net.run([](auto sender, auto receiver, sim::network& net, net::udp_socket& from, net::udp_socket& to, arrivals& result,
             std::uint32_t count, base::duration gap, std::size_t size) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("receiver", receiver, std::ref(net), std::ref(to), std::ref(result));
      co_await sender(from, to.local_endpoint(), count, gap, size);
      co_await async::sleep_for(1min);
    });
  }(sender, receiver, net, *from, *to, result, count, gap, size));
  result.hash = net.hash();
  return result;
}

}  // namespace

TEST_CASE("a perfect link gives everything in order") {
  const auto r = send_many(1, {.latency = 10ms}, 100);
  REQUIRE(r.numbers.size() == 100);
  CHECK(std::ranges::is_sorted(r.numbers));
}

TEST_CASE("jitter delays and does not reorder") {
  const auto r = send_many(1, {.latency = 10ms, .jitter = 50ms}, 300);
  REQUIRE(r.numbers.size() == 300);
  CHECK(std::ranges::is_sorted(r.numbers));
}

TEST_CASE("loss, duplication and reordering happen about as often as asked") {
  const auto lossy = send_many(3, {.loss = 0.2}, 2000).numbers.size();
  CHECK(lossy > 1500);
  CHECK(lossy < 1700);
  const auto doubled = send_many(3, {.duplicate = 0.2}, 2000).numbers.size();
  CHECK(doubled > 2300);
  CHECK(doubled < 2500);
  const auto mixed = send_many(3, {.reorder = 0.1, .reorder_by = 3ms}, 2000).numbers;
  std::size_t inversions = 0;
  for (std::size_t i = 1; i < mixed.size(); ++i) inversions += mixed[i] < mixed[i - 1];
  CHECK(mixed.size() == 2000);
  CHECK(inversions > 100);
  CHECK(inversions < 300);
}

TEST_CASE("bandwidth spreads packets out, and its queue is bounded") {
  // 1028 bytes with headers at 1 Mbit/s: 8.224 ms each.
  const auto spread = send_many(1, {.latency = 10ms, .bits_per_second = 1'000'000}, 20, 1us, 1000);
  CHECK(spread.numbers.size() == 20);
  CHECK(spread.took > 20 * 8ms);
  CHECK(spread.took < 20 * 9ms);
  const auto full = send_many(1, {.latency = 10ms, .bits_per_second = 1'000'000, .queue_bytes = 5000}, 20, 1us, 1000);
  CHECK(full.numbers.size() < 10);
}

TEST_CASE("same seed, same run; another seed, another run") {
  const sim::impairments rough{.jitter = 5ms, .loss = 0.1, .duplicate = 0.1, .reorder = 0.1};
  const auto one = send_many(42, rough, 300), again = send_many(42, rough, 300), other = send_many(43, rough, 300);
  CHECK(one.hash == again.hash);
  CHECK(one.numbers == again.numbers);
  CHECK(one.hash != other.hash);
}

TEST_CASE("a partition and a machine that is down swallow datagrams; the tap says why") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  std::vector<std::string> reasons;
  net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::dropped) reasons.emplace_back(e.reason);
  });
  net.run([](sim::network& net, sim::host& a, sim::host& b) -> async::task<> {
    auto from = *a.bind_udp({a.address(), 1});
    auto to = *b.bind_udp({b.address(), 2});
    const auto poke = [](net::udp_socket& s, base::endpoint to) -> async::task<> {
      s.send(to, base::as_bytes("x"));
      co_await async::sleep_for(1s);
    };
    net.partition(a, b);
    co_await poke(*from, to->local_endpoint());
    net.heal(a, b);
    net.set_down(b);
    co_await poke(*from, to->local_endpoint());
    net.set_up(b);
    net.set_down(a);
    co_await poke(*from, to->local_endpoint());
    net.set_up(a);
    co_await poke(*from, {base::ip_address::v4(203, 0, 113, 1), 5});
    co_await poke(*from, {b.address(), 99});
    co_await poke(*from, to->local_endpoint());
    CHECK(to->counters().received == 1);
  }(net, a, b));
  CHECK(reasons == std::vector<std::string>{"partition", "receiver is down", "sender is down", "no route", "nobody listens"});
}
