#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {
using what = sctp::association::reset;
}

// req: 8831-6.1-c
// req: 8831-6.7-a
TEST_CASE("a reset stream is told to both sides, after everything that was sent on it") {
  wire w({.latency = 20ms, .loss = 0.1});
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  w.run([](wire& w, inbox& at_a, inbox& at_b) -> async::task<> {
    for (int i = 0; i < 100; ++i) CHECK((co_await w.at(a).send(on_stream(4, pattern(3000)))).has_value());
    const sctp::stream_id four(4);
    w.at(a).reset_streams({&four, 1});
    co_await at_b.reset(what::incoming, 4);
    CHECK(at_b.messages.size() == 100);
    co_await at_a.reset(what::outgoing, 4);
  }(w, at_a, at_b));
  CHECK(at_a.resets.size() == 1);
  CHECK(at_b.resets.size() == 1);
}

// req: 6525-5.1.1-a
TEST_CASE("many streams reset one after the other from both sides are all told") {
  wire w({.latency = 20ms, .loss = 0.05});
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  w.run([](wire& w, inbox& at_a, inbox& at_b) -> async::task<> {
    for (std::uint16_t i = 0; i < 50; ++i) {
      const sctp::stream_id s(i);
      CHECK(w.at(i % 2 == 0 ? a : b).try_send(on_stream(i, pattern(500))).has_value());
      w.at(i % 2 == 0 ? a : b).reset_streams({&s, 1});
    }
    for (std::uint16_t i = 0; i < 50; ++i) {
      co_await (i % 2 == 0 ? at_b : at_a).reset(what::incoming, i);
      co_await (i % 2 == 0 ? at_a : at_b).reset(what::outgoing, i);
    }
  }(w, at_a, at_b));
  CHECK(at_a.messages.size() == 25);
  CHECK(at_b.messages.size() == 25);
}

TEST_CASE("a stream works again after its reset") {
  wire w;
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  w.run([](wire& w, inbox& at_a, inbox& at_b) -> async::task<> {
    const sctp::stream_id four(4);
    for (std::size_t round = 1; round <= 3; ++round) {
      CHECK((co_await w.at(a).send(on_stream(4, pattern(10)))).has_value());
      co_await at_b.count(round);
      w.at(a).reset_streams({&four, 1});
      co_await at_a.reset(what::outgoing, 4);
      co_await at_b.reset(what::incoming, 4);
      at_a.resets.clear();
      at_b.resets.clear();
    }
  }(w, at_a, at_b));
}

TEST_CASE("a graceful shutdown delivers everything first and ends both sides") {
  wire w({.latency = 30ms, .loss = 0.05});
  w.connect();
  inbox at_b(w.at(b));
  w.run([](wire& w) -> async::task<> {
    for (int i = 0; i < 500; ++i) CHECK((co_await w.at(a).send(on_stream(1, pattern(1000)))).has_value());
    co_await async::all_of(w.at(a).shutdown(), w.at(b).closed());
  }(w));
  CHECK(at_b.messages.size() == 500);
  CHECK(w.at(a).reason() == "SHUTDOWN complete");
  CHECK(w.at(b).reason() == "SHUTDOWN complete");
  CHECK(w.at(a).try_send(on_stream(1, pattern(1))).error() == sctp::errc::closed);
}

TEST_CASE("a shutdown waits for the rest of a message that was only begun") {
  sctp::association_config c;
  c.send_buffer = c.stream_send_buffer = 64u << 10;
  wire w({}, c, c);
  w.connect();
  inbox at_b(w.at(b));
  w.run([](wire& w) -> async::task<> {
    CHECK((co_await w.at(a).send(on_stream(1, pattern(256u << 10)))).has_value());
    co_await async::all_of(w.at(a).shutdown(), w.at(b).closed());
  }(w));
  REQUIRE(at_b.messages.size() == 1);
  CHECK(at_b.messages[0].data == pattern(256u << 10));
}

TEST_CASE("both sides may shut down at once") {
  wire w;
  w.connect();
  w.run([](wire& w) -> async::task<> { co_await async::all_of(w.at(a).shutdown(), w.at(b).shutdown()); }(w));
}

// req: 8831-6.2-c
TEST_CASE("an abort ends the other side with a reason, and those who wait") {
  wire w;
  w.connect();
  w.run([](wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("sender", [&w]() -> async::task<> {
        for (;;) {
          const auto ok = co_await w.at(b).send(on_stream(1, pattern(100'000)));
          if (ok) continue;
          CHECK(ok.error() == sctp::errc::aborted);
          break;
        }
      });
      w.at(a).set_reading(false);
      co_await async::sleep_for(2s);
      w.at(a).abort("test");
      co_await async::all_of(w.at(a).closed(), w.at(b).closed(), w.at(b).drained(sctp::stream_id(1)));
    });
  }(w));
  CHECK(w.at(b).reason() == "the peer sent ABORT (cause 12: test)");
  CHECK(w.at(b).error() == sctp::errc::aborted);
  CHECK_FALSE(w.at(a).error().code);
  CHECK(w.traces[b].states.back() == "closed");
}

TEST_CASE("a peer that never answers makes connect fail") {
  wire w;
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  w.run([](wire& w) -> async::task<> {
    const auto up = co_await w.at(a).connect();
    REQUIRE_FALSE(up.has_value());
    CHECK(up.error() == sctp::errc::connect_failed);
    co_await w.at(a).closed();
    CHECK((co_await w.at(a).connect()).error() == sctp::errc::connect_failed);
  }(w));
}

TEST_CASE("a connect that is cancelled closes the association, and the rest is safe in any order") {
  wire w;
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  w.run([](wire& w) -> async::task<> {
    const auto up = co_await async::with_timeout(1s, w.at(a).connect());
    CHECK(up.error() == base::errc::timed_out);
    CHECK(w.at(a).current_state() == sctp::state::closed);
    w.at(a).close();
    w.at(a).abort("again");
    w.at(a).reset_streams({});
    w.at(a).set_reading(false);
    w.at(a).set_reading(true);
    co_await w.at(a).shutdown();
    CHECK((co_await w.at(a).send(on_stream(1, pattern(1)))).error() == sctp::errc::closed);
    w.at(b).close();  // never connected
    co_await w.at(b).closed();
    CHECK((co_await w.at(b).connect()).error() == sctp::errc::closed);
  }(w));
}

TEST_CASE("a destroyed association says nothing more, whatever it was doing") {
  for (int moment = 0; moment < 4; ++moment) {
    wire w;
    if (moment > 0) w.connect();
    if (moment > 1) CHECK(w.at(a).try_send(on_stream(1, pattern(100'000))).has_value());
    if (moment > 2) w.at(a).close();
    const auto before = w.counts[a];
    w.ends[a].reset();
    CHECK(w.counts[a] == before);
  }
}

TEST_CASE("a sender that waits when its association is destroyed gets an answer") {
  wire w;
  w.connect();
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  w.run([](wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      for (int i = 0; i < 3; ++i)
        s.spawn("sender", [&w]() -> async::task<> {
          for (;;) {
            const auto sent = co_await w.at(a).send(on_stream(1, pattern(200'000)));
            if (sent) continue;
            CHECK(sent.error() == sctp::errc::closed);
            break;
          }
        });
      co_await async::sleep_for(100ms);
      w.ends[a].reset();
    });
  }(w));
}

TEST_CASE("a peer that falls silent in the middle is noticed, whatever was under way") {
  for (int what_is_due = 0; what_is_due < 3; ++what_is_due) {
    wire w;
    w.connect();
    if (what_is_due == 1) CHECK(w.at(a).try_send(on_stream(4, pattern(10))).has_value());
    w.settle(5s);
    w.pass = [](side, std::size_t, base::byte_view) { return false; };
    const auto begin = w.loop.now();
    const sctp::stream_id four(4);
    if (what_is_due == 0) CHECK(w.at(a).try_send(on_stream(4, pattern(10))).has_value());
    if (what_is_due == 1) w.at(a).reset_streams({&four, 1});
    if (what_is_due == 2) w.at(a).close();
    w.run([](wire& w) -> async::task<> { co_await w.at(a).closed(); }(w));
    CHECK(w.at(a).error() == sctp::errc::lost);
    CHECK(w.loop.now() - begin >= 30s);
    CHECK(w.loop.now() - begin < 32s);
  }
}
