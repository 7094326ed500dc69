#include "channels.hpp"

using namespace strata;
using namespace strata::test;
using datachannel::channel_state;
using datachannel::errc;

// req: 8831-6.7-b
TEST_CASE("five hundred messages and a close: all arrive, then the end, on both sides") {
  for (const double loss : {0.0, 0.05}) {
    channels t({.latency = 20ms, .loss = loss});
    t.run([&t]() -> async::task<> {
      auto [mine, theirs] = co_await t.open();
      for (int i = 0; i < 500; ++i) co_await send_ok(mine, text(std::to_string(i)));
      mine->close();
      CHECK(mine->state() == channel_state::closing);
      CHECK((co_await mine->send(text("late"))).error() == errc::closed);
      const auto all = co_await receive_all(theirs);
      REQUIRE(all.size() == 500);
      for (std::size_t i = 0; i < 500; ++i) CHECK(base::as_text(all[i].data) == std::to_string(i));
      co_await async::all_of(mine->closed(), theirs->closed());
      CHECK_FALSE(mine->error().code);
      CHECK_FALSE(theirs->error().code);
      CHECK(t.at(a).channels() == 0);
      CHECK(t.at(b).channels() == 0);
    });
  }
}

TEST_CASE("a large message before a close arrives whole, and a sender that still waits is served first") {
  channels t({.latency = 20ms}, {.max_message_size = 4u << 20});
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (std::uint8_t i = 0; i < 4; ++i)
        s.spawn("sender", [&mine](std::uint8_t n) { return send_ok(mine, binary(base::bytes(1u << 20, n))); }, i);
      co_await async::yield();
      co_await async::yield();
      mine->close();
      const auto all = co_await receive_all(theirs);
      REQUIRE(all.size() == 4);
      for (std::uint8_t i = 0; i < 4; ++i) CHECK(all[i].data == base::bytes(1u << 20, i));
      co_await mine->closed();
    });
  });
}

// req: 8831-6.7-c
TEST_CASE("an id is free again when both sides are closed, and the new channel knows nothing of the old") {
  channels t;
  t.run([&t]() -> async::task<> {
    for (int round = 0; round < 5; ++round) {
      auto [mine, theirs] = co_await t.open({.label = std::to_string(round)});
      CHECK(mine->id() == 0);
      CHECK(theirs->label() == std::to_string(round));
      co_await send_ok(mine, text("x"));
      CHECK((co_await theirs->receive()).has_value());
      (round % 2 == 0 ? mine : theirs)->close();
      co_await async::all_of(mine->closed(), theirs->closed());
    }
  });
}

TEST_CASE("both sides may close at once, and a channel may be closed as soon as it is made") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    mine->close();
    theirs->close();
    mine->close();
    co_await async::all_of(mine->closed(), theirs->closed());

    auto brief = t.at(a).create({.label = "brief"});
    brief->close();
    CHECK(brief->state() == channel_state::closed);  // nobody ever heard of it
    CHECK_FALSE((co_await brief->opened()).has_value());
    CHECK(t.at(a).channels() == 0);

    auto opening = t.at(a).create({.label = "opening"});
    co_await send_ok(opening, text("and gone"));
    opening->close();
    auto seen = co_await t.at(b).accept();
    CHECK((co_await seen->receive())->data == base::to_bytes("and gone"));
    co_await async::all_of(opening->closed(), seen->closed());
    CHECK(t.at(a).channels() == 0);
  });
}

TEST_CASE("what arrived before the peer's close can be taken after it") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    for (int i = 0; i < 10; ++i) co_await send_ok(mine, text(std::to_string(i)));
    mine->close();
    co_await theirs->closed();
    CHECK(theirs->waiting() == 10);
    CHECK((co_await receive_all(theirs)).size() == 10);
  });
}

TEST_CASE("messages for a channel that was closed here are counted and dropped") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    co_await send_ok(mine, text("unread"));
    co_await async::sleep_for(50ms);
    CHECK(theirs->waiting() == 1);
    theirs->close();
    CHECK(theirs->waiting() == 0);
    co_await send_ok(mine, text("too late"));
    co_await async::all_of(mine->closed(), theirs->closed());
    CHECK(t.at(b).drops().after_close == 1);
    CHECK_FALSE((co_await theirs->receive()).has_value());
  });
}

TEST_CASE("a peer that never resets its side keeps the id, but not closed() waiting") {
  channels t;
  t.ends[b].reset();
  t.w.at(b).on_message = [&t](sctp::message_in m) {
    const base::bytes ack{2};
    CHECK(t.w.at(b).try_send({m.stream, m.protocol, ack}).has_value());
  };
  t.w.run([](channels& t) -> async::task<> {
    co_await async::all_of(t.w.at(a).connect(), t.w.at(b).connect());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("a", [&t] { return t.at(a).run(); });
      auto mine = t.at(a).create({.label = "kept"});
      CHECK((co_await mine->opened()).has_value());
      mine->close();
      const auto begin = t.w.loop.now();
      co_await mine->closed();
      CHECK(t.w.loop.now() - begin >= 10s);
      CHECK(t.w.loop.now() - begin < 12s);
      CHECK(t.at(a).channels() == 1);
      CHECK(t.at(a).create({.label = "next"})->id() == 2);
    });
  }(t));
}

// req: 8831-6.2-b
TEST_CASE("the end of the association ends every channel once, in order or not") {
  for (const bool in_order : {true, false}) {
    channels t;
    t.run([&t, in_order]() -> async::task<> {
      auto [mine, theirs] = co_await t.open();
      auto [second, second_end] = co_await t.open({.label = "second"});
      co_await send_ok(mine, text("before the end"));
      co_await async::sleep_for(100ms);
      if (in_order) t.w.at(a).close();
      else t.w.at(a).abort("test");
      co_await async::all_of(mine->closed(), theirs->closed(), second->closed(), second_end->closed());
      CHECK(bool(theirs->error().code) == !in_order);
      CHECK((co_await receive_all(theirs)).size() == 1);
      CHECK(co_await t.at(b).accept() == nullptr);
      CHECK(t.at(b).ended());
    });
    std::size_t closings = 0;
    for (const auto& s : t.w.traces[b].states) closings += s == "closed";
    CHECK(closings == 3);  // two channels and the association
  }
}

TEST_CASE("closing an endpoint ends its channels at once, and what they sent is delivered by the shutdown") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    for (int i = 0; i < 100; ++i) co_await send_ok(mine, binary(pattern(3000)));
    t.at(a).close();
    CHECK(mine->state() == channel_state::closed);
    CHECK_FALSE((co_await mine->send(text("x"))).has_value());
    co_await t.w.at(a).shutdown();
    CHECK((co_await receive_all(theirs)).size() == 100);
  });
}

TEST_CASE("channels outlive their endpoint and their association, closed, with what they received") {
  channel_pointer kept, never_run;
  {
    channels t;
    t.run([&]() -> async::task<> {
      auto [mine, theirs] = co_await t.open();
      co_await send_ok(mine, text("kept"));
      co_await async::sleep_for(100ms);
      kept = theirs;
    });
    never_run = t.at(a).create({});
  }
  CHECK(kept->state() == channel_state::closed);
  CHECK(kept->waiting() == 1);
  CHECK(kept->buffered_amount() == 0);
  kept->close();
  CHECK(kept->waiting() == 0);
  CHECK(never_run->state() == channel_state::closed);
}

TEST_CASE("fibers that wait on channels of a connection that is cancelled are all released") {
  channels t;
  int released = 0;
  t.w.run([](channels& t, int& released) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      co_await async::all_of(t.w.at(a).connect(), t.w.at(b).connect());
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& inner) -> async::task<> {
        inner.spawn("a", [&t] { return t.at(a).run(); });
        inner.spawn("b", [&t] { return t.at(b).run(); });
        auto [mine, theirs] = co_await t.open();
        t.w.pass = [](side, std::size_t, base::byte_view) { return false; };
        s.spawn("receiver", [&released, c = theirs]() -> async::task<> {
          CHECK_FALSE((co_await c->receive()).has_value());
          ++released;
        });
        s.spawn("closer", [&released, c = theirs]() -> async::task<> {
          co_await c->closed();
          ++released;
        });
        s.spawn("acceptor", [&]() -> async::task<> {
          CHECK(co_await t.at(b).accept() == nullptr);
          ++released;
        });
        s.spawn("opener", [&released, c = t.at(a).create({})]() -> async::task<> {
          CHECK_FALSE((co_await c->opened()).has_value());
          ++released;
        });
        s.spawn("sender", [&released, c = mine]() -> async::task<> {
          for (;;) {
            const auto ok = co_await c->send(binary(pattern(100'000)));
            if (ok) continue;
            ++released;
            co_return;
          }
        });
        co_await async::sleep_for(1s);
      });
      // The endpoints have ended; the association says the rest.
      t.w.at(a).close();
      t.w.at(a).abort("done");
    });
  }(t, released));
  CHECK(released == 5);
}
