// Requests on the virtual clock: when they leave, when they are given up, and which answers count.
#include <doctest/doctest.h>

#include <set>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/message_writer.hpp"
#include "stun/transaction_table.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

base::bytes request(const transaction_id& id) {
  base::bytes out;
  message_writer(out, {message_class::request, method::binding}, id);
  return out;
}

base::bytes success(const transaction_id& id, message_class c = message_class::success) {
  base::bytes out;
  message_writer w(out, {c, method::binding}, id);
  w.add(xor_mapped_address{*base::endpoint::parse("203.0.113.9:4000")});
  return out;
}

// A table whose datagrams go nowhere; what it sends is written down.
struct bench {
  sim::network net{1};
  sim::host& host = net.add_host("a", {"192.0.2.1"});
  base::endpoint server = *base::endpoint::parse("192.0.2.2:3478");
  base::instant start = host.now();
  std::vector<base::duration> sent;
  std::vector<base::bytes> datagrams;
  transaction_table table{host, [this](const base::endpoint&, base::byte_view d) {
                            sent.push_back(host.now() - start);
                            datagrams.push_back(base::to_bytes(d));
                            return true;
                          }};
  async::task<> feed_after(base::duration d, base::bytes message, base::endpoint from) {
    co_await async::sleep_for(d);
    table.on_response(*message_view::parse(message), from);
  }
  // The outcome, and when it was there.
  std::pair<base::result<response>, base::duration> outcome(async::task<base::result<response>> t) {
    auto r = net.run(std::move(t));
    return {std::move(r), host.now() - start};
  }
};

}  // namespace

// req: 8489-6.2.1-a 8489-6.2.1-d 8489-6.2.1-h 8489-6.2.1-i 8489-5-d
TEST_CASE("an unanswered request leaves seven times, doubling from 500 ms, and fails at 39.5 s") {
  bench b;
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(b.table.new_id())));
  REQUIRE_FALSE(r);
  CHECK(r.error() == make_error_code(base::errc::timed_out));
  CHECK(b.sent == std::vector<base::duration>{0ms, 500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms});
  CHECK(at == 39500ms);
  for (const auto& d : b.datagrams) CHECK(d == b.datagrams[0]);
  CHECK(b.table.pending() == 0);
}

// req: 8489-6.2.1-c 8489-6.2.1-h 8489-6.2.1-i
TEST_CASE("the schedule is configurable and keeps milliseconds") {
  bench b;
  const auto [r, at] =
      b.outcome(b.table.transact(b.server, request(b.table.new_id()), {.schedule = retransmission::over_udp(537ms, 3, 4)}));
  CHECK(b.sent == std::vector<base::duration>{0ms, 537ms, 1611ms});
  CHECK(at == 1611ms + 4 * 537ms);
}

// req: 8489-6.2.2-b
TEST_CASE("over a reliable transport a request is sent once and fails after Ti") {
  bench b;
  const auto [r, at] =
      b.outcome(b.table.transact(b.server, request(b.table.new_id()), {.schedule = retransmission::over_tcp()}));
  CHECK(r.error() == make_error_code(base::errc::timed_out));
  CHECK(b.sent.size() == 1);
  CHECK(at == 39500ms);
}

TEST_CASE("an answer ends the retransmissions and says how long it took since the last of them") {
  bench b;
  const auto id = b.table.new_id();
  b.net.start("answer", b.feed_after(620ms, success(id), b.server));
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(id)));
  REQUIRE(r);
  CHECK(at == 620ms);
  CHECK(r->transmissions == 2);
  CHECK(r->round_trip == 120ms);
  CHECK(r->message().get<xor_mapped_address>()->endpoint.to_string() == "203.0.113.9:4000");
  b.net.run_for(60s);
  CHECK(b.sent.size() == 2);
}

// req: 8489-6.3-b
TEST_CASE("a response with an unknown id, from another source, or that is no response changes nothing") {
  bench b;
  const auto id = b.table.new_id();
  auto other = id;
  other[0] ^= 1;
  b.net.start("unknown id", b.feed_after(10ms, success(other), b.server));
  b.net.start("elsewhere", b.feed_after(20ms, success(id), *base::endpoint::parse("192.0.2.66:3478")));
  b.net.start("a request", b.feed_after(30ms, request(id), b.server));
  b.net.start("answer", b.feed_after(100ms, success(id), b.server));
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(id)));
  REQUIRE(r);
  CHECK(at == 100ms);
  CHECK(b.table.counted().unmatched == 3);
}

TEST_CASE("ICE may take a response from another source and judge it by itself") {
  bench b;
  const auto id = b.table.new_id();
  const auto elsewhere = *base::endpoint::parse("192.0.2.66:3478");
  b.net.start("answer", b.feed_after(20ms, success(id), elsewhere));
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(id), {.match_source = false}));
  REQUIRE(r);
  CHECK(r->from == elsewhere);
}

// req: 8489-6.2.1-j
TEST_CASE("a hard network error fails the transactions with that address at once") {
  bench b;
  b.net.start("unreachable", [](bench& t) -> async::task<> {
    co_await async::sleep_for(700ms);
    t.table.fail(t.server, base::errc::unreachable);
  }(b));
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(b.table.new_id())));
  CHECK(r.error() == make_error_code(base::errc::unreachable));
  CHECK(at == 700ms);
}

// req: 8489-6.2.2-c
TEST_CASE("a lost connection fails every transaction that was in progress") {
  bench b;
  const auto one = [](bench& t) -> async::task<base::result<response>> {
    co_return co_await t.table.transact(t.server, request(t.table.new_id()), {.schedule = retransmission::over_tcp()});
  };
  b.net.start("reset", [](bench& t) -> async::task<> {
    co_await async::sleep_for(5s);
    CHECK(t.table.pending() == 3);
    t.table.fail_all(base::errc::closed);
  }(b));
  b.net.run([](bench& t, auto make) -> async::task<> {
    const auto [x, y, z] = co_await async::all_of(make(t), make(t), make(t));
    CHECK(x.error() == make_error_code(base::errc::closed));
    CHECK(y.error() == make_error_code(base::errc::closed));
    CHECK(z.error() == make_error_code(base::errc::closed));
  }(b, one));
  CHECK(b.host.now() - b.start == 5s);
}

// req: 8489-6.2.2-d
TEST_CASE("requests are pipelined and answered in any order") {
  bench b;
  const auto first = b.table.new_id(), second = b.table.new_id();
  b.net.start("second", b.feed_after(10ms, success(second), b.server));
  b.net.start("first", b.feed_after(20ms, success(first), b.server));
  b.net.run([](bench& t, transaction_id x, transaction_id y) -> async::task<> {
    const transaction_options tcp{.schedule = retransmission::over_tcp()};
    const auto [p, q] =
        co_await async::all_of(t.table.transact(t.server, request(x), tcp), t.table.transact(t.server, request(y), tcp));
    REQUIRE(p);
    REQUIRE(q);
    CHECK(p->message().transaction_id() == x);
    CHECK(q->message().transaction_id() == y);
  }(b, first, second));
}

// req: 8489-9.1.4-b 8489-9.1.4-c
TEST_CASE("over UDP a forged answer is as if it had never come, unless nothing better comes") {
  for (const bool real_answer : {true, false}) {
    CAPTURE(real_answer);
    bench b;
    const auto id = b.table.new_id();
    int looked = 0;
    auto judge = [&](const message_view&, const base::endpoint&) {
      return ++looked == 1 ? judgement{reaction::discard, errc::bad_integrity} : judgement{};
    };
    b.net.start("forged", b.feed_after(10ms, success(id), b.server));
    if (real_answer) b.net.start("real", b.feed_after(600ms, success(id), b.server));
    const auto [r, at] = b.outcome(b.table.transact(b.server, request(id), {}, judge));
    CHECK(r.has_value() == real_answer);
    if (real_answer) {
      CHECK(b.sent.size() == 2);
    } else {
      CHECK(r.error() == make_error_code(errc::bad_integrity));
      CHECK(at == 39500ms);
    }
  }
}

// req: 8489-9.1.4-d
TEST_CASE("over TCP a forged answer ends the transaction at once") {
  bench b;
  const auto id = b.table.new_id();
  auto judge = [](const message_view&, const base::endpoint&) { return judgement{reaction::discard, errc::bad_integrity}; };
  b.net.start("forged", b.feed_after(10ms, success(id), b.server));
  const auto [r, at] = b.outcome(b.table.transact(b.server, request(id), {.schedule = retransmission::over_tcp()}, judge));
  CHECK(r.error() == make_error_code(errc::bad_integrity));
  CHECK(at == 10ms);
}

// req: 8489-6.1-b 8489-6.1-c
TEST_CASE("a request that does not fit every path is refused unless it probes the path") {
  for (const auto& [server, fits] : {std::pair{"192.0.2.2:3478", 548u}, std::pair{"[2001:db8::2]:3478", 1232u}}) {
    bench b;
    const auto to = *base::endpoint::parse(server);
    const auto sized = [&](std::size_t size) {
      base::bytes out;
      message_writer w(out, {message_class::request, method::binding}, b.table.new_id());
      w.add(attribute_type::padding, base::bytes(size - header_size - 4));
      return out;
    };
    CHECK(largest_datagram(to.address.family()) == fits);
    const retransmission quick = retransmission::over_udp(1ms, 1, 1);
    CHECK(b.net.run(b.table.transact(to, sized(fits), {.schedule = quick})).error() == make_error_code(base::errc::timed_out));
    CHECK(b.net.run(b.table.transact(to, sized(fits + 4), {.schedule = quick})).error() == make_error_code(errc::too_long));
    CHECK(b.sent.size() == 1);
    CHECK(b.net.run(b.table.transact(to, sized(fits + 4), {.schedule = quick, .probes_mtu = true})).error() ==
          make_error_code(base::errc::timed_out));
    CHECK(b.sent.size() == 2);
  }
}

TEST_CASE("a cancelled transaction leaves the table and sends nothing more") {
  bench b;
  const auto r = b.net.run(async::with_timeout(1s, b.table.transact(b.server, request(b.table.new_id()))));
  CHECK(r.error() == make_error_code(base::errc::timed_out));
  CHECK(b.table.pending() == 0);
  b.net.run_for(60s);
  CHECK(b.sent.size() == 2);
}

TEST_CASE("a full table refuses the next transaction") {
  bench b;
  transaction_table small(b.host, [](const base::endpoint&, base::byte_view) { return true; }, 1);
  b.net.run([](bench& t, transaction_table& s) -> async::task<> {
    const auto [x, y] =
        co_await async::all_of(s.transact(t.server, request(s.new_id())), s.transact(t.server, request(s.new_id())));
    CHECK(x.error() == make_error_code(base::errc::timed_out));
    CHECK(y.error() == make_error_code(errc::busy));
  }(b, small));
}

// req: 8489-5-c
TEST_CASE("transaction ids come from the host's random source and do not repeat") {
  bench b;
  std::set<transaction_id> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(b.table.new_id());
  CHECK(seen.size() == 100'000);
  bench same_seed;
  CHECK(*seen.begin() == [&] {
    std::set<transaction_id> again;
    for (int i = 0; i < 100'000; ++i) again.insert(same_seed.table.new_id());
    return *again.begin();
  }());
}
