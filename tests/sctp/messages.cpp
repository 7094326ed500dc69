#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {

// Sends every size both ways and compares; the wire may be as bad as it likes.
void echo_all(wire& w, const std::vector<std::size_t>& sizes, bool ordered = true) {
  w.at(a).set_max_message_size(8u << 20);
  w.at(b).set_max_message_size(8u << 20);
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  w.run([](wire& w, inbox& at_a, inbox& at_b, std::vector<std::size_t> sizes, bool ordered) -> async::task<> {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto data = pattern(sizes[i], static_cast<std::uint8_t>(i));
      auto m = on_stream(static_cast<std::uint16_t>(i % 4), data);
      m.ordered = ordered;
      CHECK((co_await w.at(a).send(m)).has_value());
      co_await at_b.count(i + 1);
      CHECK(at_b.messages[i].data == data);
      CHECK(at_b.messages[i].ordered == ordered);
      auto back = on_stream(at_b.messages[i].stream.value, at_b.messages[i].data);
      CHECK((co_await w.at(b).send(back)).has_value());
      co_await at_a.count(i + 1);
      CHECK(at_a.messages[i].data == data);
    }
  }(w, at_a, at_b, sizes, ordered));
}

const std::vector<std::size_t> sizes = {1,    2,     100,   1131,  1132,  1133,   1159,     1160,
                                        4096, 16384, 65535, 65536, 65537, 262144, 1u << 20, 3u << 20};

}  // namespace

// req: 8831-7-a
TEST_CASE("messages from one octet to 3 MiB come back unchanged, ordered") {
  wire w;
  echo_all(w, sizes);
  CHECK(w.at(a).stats().chunks_retransmitted == 0);
}

TEST_CASE("messages from one octet to 3 MiB come back unchanged, unordered") {
  wire w;
  echo_all(w, sizes, false);
}

TEST_CASE("messages from one octet to 1 MiB cross a path that loses, duplicates and reorders") {
  wire w({.latency = 20ms, .loss = 0.05, .duplicate = 0.02, .reorder = 0.05});
  echo_all(w, {1, 1133, 65536, 262144, 1u << 20});
  CHECK(w.at(a).stats().chunks_retransmitted > 0);
}

// req: 8831-6.6-b
TEST_CASE("small messages stay separate messages, in the order of their sends on each stream") {
  wire w({.latency = 20ms, .loss = 0.1, .reorder = 0.1});
  w.connect();
  inbox in(w.at(b));
  w.run([](wire& w, inbox& in) -> async::task<> {
    for (std::uint32_t i = 0; i < 400; ++i) {
      const auto text = std::to_string(i);
      CHECK((co_await w.at(a).send(on_stream(i % 3, base::as_bytes(text)))).has_value());
    }
    co_await in.count(400);
  }(w, in));
  std::map<std::uint16_t, std::uint32_t> next = {{0, 0}, {1, 1}, {2, 2}};
  for (const auto& m : in.messages) {
    CHECK(base::as_text(m.data) == std::to_string(next[m.stream.value]));
    next[m.stream.value] += 3;
  }
}

// req: 8831-6.6-i
TEST_CASE("a small message does not wait for the acknowledgement of the one before") {
  wire w({.latency = 50ms});
  w.connect();
  inbox in(w.at(b));
  const auto begin = w.loop.now();
  w.run([](wire& w, inbox& in) -> async::task<> {
    for (int i = 0; i < 3; ++i) CHECK((co_await w.at(a).send(on_stream(0, base::as_bytes("x")))).has_value());
    co_await in.count(3);
  }(w, in));
  CHECK(w.loop.now() - begin == 50ms);
}

TEST_CASE("what SCTP cannot carry is refused with a reason and the association goes on") {
  wire w;
  const auto one = base::as_bytes("1");
  CHECK(w.at(a).try_send(on_stream(0, one)).error() == sctp::errc::not_connected);
  w.connect();
  inbox in(w.at(b));
  CHECK(w.at(a).try_send(on_stream(0, {})).error() == sctp::errc::empty_message);
  CHECK(w.at(a).try_send(on_stream(1024, one)).error() == sctp::errc::no_such_stream);
  CHECK(w.at(a).try_send(on_stream(65535, one)).error() == sctp::errc::no_such_stream);
  CHECK(w.at(a).try_send(on_stream(1023, one)).has_value());
  w.run(in.count(1));
  CHECK(in.messages[0].stream.value == 1023);
}

TEST_CASE("a message above the agreed size is told once and thrown away; the next one arrives") {
  sctp::association_config small;
  small.max_message_size = 100'000;
  wire w({}, {}, small);
  w.connect();
  inbox in(w.at(b));
  w.run([](wire& w, inbox& in) -> async::task<> {
    const auto big = pattern(1u << 20), fits = pattern(100'000);
    CHECK((co_await w.at(a).send(on_stream(5, big))).has_value());
    CHECK((co_await w.at(a).send(on_stream(5, fits))).has_value());
    co_await in.count(1);
    CHECK(in.messages[0].data == fits);
  }(w, in));
  CHECK(in.too_large == std::vector<std::uint16_t>{5});
  CHECK(w.traces[b].drops == std::vector<std::string>{"message above the agreed size"});
}

// req: 8831-5-e
TEST_CASE("no packet is larger than the configured limit, whatever is sent") {
  for (const std::uint16_t mtu : {576, 1171, 1400}) {
    sctp::association_config c;
    c.mtu = mtu;
    wire w({}, c, c);
    std::size_t largest = 0;
    w.pass = [&](side, std::size_t, base::byte_view packet) {
      largest = std::max(largest, packet.size());
      return true;
    };
    echo_all(w, {1, 5000, 262144});
    CHECK(largest <= mtu);
    CHECK(largest > mtu - 8u);
  }
}

TEST_CASE("round trips are measured on the host's clock") {
  wire w({.latency = 75ms});
  echo_all(w, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 20000, 20000, 20000, 20000});
  CHECK(w.at(a).stats().rtt >= 140ms);
  CHECK(w.at(a).stats().rtt <= 190ms);
}

TEST_CASE("a message after quiet hours is as good as the first, and heartbeats go on meanwhile") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  for (std::size_t i = 1; i <= 3; ++i) {
    const auto before = w.counts[a];
    w.settle(1h);
    CHECK(w.counts[a] - before >= 60);
    CHECK(w.counts[a] - before <= 300);
    CHECK(w.at(a).try_send(on_stream(0, pattern(100))).has_value());
    w.run(in.count(i));
  }
}
