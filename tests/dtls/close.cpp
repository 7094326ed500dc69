#include <doctest/doctest.h>

#include "wire.hpp"

using namespace strata;
using test::side;
using namespace std::chrono_literals;

TEST_CASE("close() tells the peer, both ends end, and nothing goes out or up afterwards") {
  for (side closing : {side::client, side::server}) {
    test::wire w;
    w.build();
    w.handshake();
    const side other = closing == side::client ? side::server : side::client;
    CHECK(w.at(closing).send(base::as_bytes("last")));
    w.at(closing).close();
    w.at(closing).close();
    CHECK(w.at(closing).current_state() == dtls::state::closed);
    CHECK_FALSE(w.at(closing).send(base::as_bytes("no")));
    w.run(w.at(other).closed());
    CHECK(w.at(other).current_state() == dtls::state::closed);
    CHECK(w.at(other).reason() == "close_notify from the peer");
    CHECK(w.received(other).size() == 1);
    CHECK_FALSE(w.at(other).send(base::as_bytes("no")));
    w.settle();
    w.run(w.at(closing).closed());
    const auto sent = w.log.size();
    w.inject(closing, w.log.back().data);
    w.settle();
    CHECK(w.log.size() == sent);
  }
}

TEST_CASE("Closing inside the data callback stops the records behind it") {
  test::wire w;
  w.build();
  w.handshake();
  int seen = 0;
  w.server().on_data = [&](base::byte_view) {
    ++seen;
    w.server().close();
  };
  base::bytes both;
  w.tamper = [&](side from, std::size_t, const base::bytes& d) {
    if (from == side::client) base::append(both, d);
    return std::vector<test::wire::arrival>{};
  };
  w.client().send(base::as_bytes("one"));
  w.client().send(base::as_bytes("two"));
  w.inject(side::server, both);
  w.settle();
  CHECK(seen == 1);
}

TEST_CASE("close() during the handshake ends it on both sides") {
  for (side closing : {side::client, side::server}) {
    CAPTURE(static_cast<int>(closing));
    test::wire w;
    w.build();
    const auto body = [](test::wire& w, side closing) -> async::task<> {
      co_await async::with_scope(async::at_end::join, [&w, closing](async::scope& s) -> async::task<> {
        s.spawn("closer", [&w, closing]() -> async::task<> {
          co_await async::sleep_for(30ms);
          w.at(closing).close();
        });
        auto [client, server] = co_await async::all_of(w.client().handshake(), w.server().handshake());
        CHECK(client.error() == make_error_code(dtls::errc::closed));
        CHECK(server.error() == make_error_code(dtls::errc::closed));
      });
    };
    w.run(body(w, closing));
    CHECK(w.loop.now().time_since_epoch() < 200ms);
  }
}

TEST_CASE("Cancelling a handshake at any moment closes the association and leaves nothing behind") {
  for (base::duration when : {0ms, 10ms, 20ms, 30ms, 50ms, 70ms, 79ms}) {
    CAPTURE(when.count());
    test::wire w;
    w.build();
    const auto cancelled = w.run(async::with_timeout(when, w.client().handshake()));
    CHECK_FALSE(cancelled);
    CHECK(w.client().current_state() == dtls::state::closed);
    CHECK(w.client().invariant());
    CHECK_FALSE(w.client().send(base::as_bytes("no")));
    w.settle();
    w.run(w.client().closed());
  }
}

TEST_CASE("closed() waits for the end that comes later") {
  test::wire w;
  w.build();
  const auto body = [](test::wire& w) -> async::task<> {
    co_await async::all_of(w.client().handshake(), w.server().handshake());
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("waiter", [&w]() -> async::task<> { co_await w.client().closed(); });
      co_await async::sleep_for(5s);
      w.server().close();
    });
  };
  w.run(body(w));
  CHECK(w.client().current_state() == dtls::state::closed);
}
