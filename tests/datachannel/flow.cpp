#include "channels.hpp"

using namespace strata;
using namespace strata::test;
using datachannel::errc;

namespace {

async::task<> pour(channel_pointer c, std::size_t count, std::size_t size, std::size_t& sent) {
  for (; sent < count; ++sent) {
    const auto ok = co_await c->send(binary(pattern(size)));
    if (!ok) co_return;
  }
}

}  // namespace

TEST_CASE("a slow receiver stops the sender; nothing is lost and memory is bounded") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    std::size_t sent = 0;
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("pour", [&] { return pour(mine, 500, 20'000, sent); });
      co_await async::sleep_for(5min);
      CHECK(theirs->waiting() * 20'000 <= (1u << 20) + 20'000);
      CHECK(sent * 20'000 < 3u << 20);  // inbox, receive window, send buffer
      CHECK(mine->buffered_amount() > 400'000);
      CHECK(mine->buffered_amount() <= 512u << 10);
      for (int i = 0; i < 500; ++i) {
        const auto got = co_await theirs->receive();
        REQUIRE(got.has_value());
        CHECK(got->data == pattern(20'000));
        if (i % 50 == 0) co_await async::sleep_for(1s);
      }
    });
    CHECK(mine->buffered_amount() == 0);
  });
}

TEST_CASE("many empty messages fill an inbox as well") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    std::size_t sent = 0;
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("pour", [&] { return pour(mine, 80'000, 0, sent); });
      co_await async::sleep_for(5min);
      CHECK(theirs->waiting() <= 16'385);
      CHECK(sent < 80'000);
      for (int i = 0; i < 80'000; ++i) CHECK((co_await theirs->receive())->data.empty());
    });
  });
}

TEST_CASE("a bulk transfer leaves its neighbour usable") {
  channels t({.latency = 20ms});
  t.run([&t]() -> async::task<> {
    auto [bulk, bulk_end] = co_await t.open({.label = "bulk"});
    auto [ping, ping_end] = co_await t.open({.label = "ping"});
    std::size_t sent = 0;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("pour", [&] { return pour(bulk, 10'000, 100'000, sent); });
      s.spawn("sink", [&]() -> async::task<> { (void)co_await receive_all(bulk_end); });
      co_await async::sleep_for(2s);
      for (int i = 0; i < 20; ++i) {
        const auto begin = t.w.loop.now();
        co_await send_ok(ping, text("ping"));
        CHECK((co_await ping_end->receive()).has_value());
        CHECK(t.w.loop.now() - begin < 2s);
      }
    });
    CHECK(sent > 20);
  });
}

TEST_CASE("a send that is cancelled while it waits has sent nothing and the channel goes on") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    bool open = false;
    t.w.pass = [&open](side, std::size_t, base::byte_view) { return open; };
    co_await send_ok(mine, binary(pattern(250'000)));
    co_await send_ok(mine, binary(pattern(250'000)));
    CHECK((co_await async::with_timeout(200ms, mine->send(binary(pattern(100'000))))).error() == base::errc::timed_out);
    open = true;
    co_await send_ok(mine, text("after"));
    for (int i = 0; i < 2; ++i) CHECK((co_await theirs->receive())->data.size() == 250'000);
    CHECK((co_await theirs->receive())->data == base::to_bytes("after"));
  });
}

TEST_CASE("a receive that is cancelled loses no message") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    int got = 0;
    for (int i = 0; i < 50; ++i) {
      co_await send_ok(mine, text(std::to_string(i)));
      // The message arrives 10 ms later, at the moment of some of these time-outs.
      for (;;) {
        auto m = co_await async::with_timeout(std::chrono::milliseconds(1 + i % 11), theirs->receive());
        if (!m) continue;
        CHECK(base::as_text((*m)->data) == std::to_string(i));
        ++got;
        break;
      }
    }
    CHECK(got == 50);
  });
}
