#include <doctest/doctest.h>

#include "peers.hpp"

using namespace strata;
using namespace std::chrono_literals;
using rtc::testing::certificate_of;
using rtc::testing::two_peers;

namespace {

base::bytes pattern(std::size_t n) {
  base::bytes data(n);
  for (std::size_t i = 0; i < n; ++i) data[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
  return data;
}

}  // namespace

TEST_CASE("two peers exchange messages of every size both ways") {
  two_peers p;
  p.run([&]() -> async::task<> {
    auto ca = p.a.create_channel({.label = "chat", .protocol = "p"});
    co_await p.negotiate();
    REQUIRE(co_await p.a.connected());
    auto cb = co_await p.b.accept_channel();
    REQUIRE(cb);
    CHECK(cb->label() == "chat");
    for (std::size_t n : {0u, 1u, 100u, 1200u, 65536u, 262144u}) {
      const bool sent = (co_await ca->send({pattern(n), false})).has_value();
      REQUIRE(sent);
      auto got = co_await cb->receive();
      REQUIRE(got);
      CHECK(got->data == pattern(n));
      CHECK_FALSE(got->text);
      const bool back = (co_await cb->send({pattern(n), true})).has_value();
      REQUIRE(back);
      auto returned = co_await ca->receive();
      REQUIRE(returned);
      CHECK(returned->data == pattern(n));
      CHECK(returned->text);
    }
  });
  CHECK(p.a.state() == rtc::connection_state::closed);
  CHECK(p.b.state() == rtc::connection_state::closed);
}

TEST_CASE("every phase of a connection is timed and in order") {
  two_peers p;
  p.run([&]() -> async::task<> {
    auto c = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.a.connected());
    const auto& t = p.a.phases();
    REQUIRE(t.described);
    REQUIRE(t.paired);
    REQUIRE(t.dtls);
    REQUIRE(t.sctp);
    CHECK(*t.described <= *t.paired);
    CHECK(*t.paired < *t.dtls);
    CHECK(*t.dtls < *t.sctp);
  });
}

TEST_CASE("a peer with another certificate than it signaled is refused before any data") {
  two_peers p;
  p.run([&]() -> async::task<> {
    auto c = p.a.create_channel({.label = "x"});
    auto offer = co_await p.a.create_offer();
    REQUIRE(offer);
    // Somebody in the middle of signaling swaps the fingerprint of the offer.
    const auto stranger = crypto::format(certificate_of(p.ha).fingerprint());
    auto changed = *offer;
    const auto at = changed.find("a=fingerprint:") + 14;
    changed.replace(at, changed.find("\r\n", at) - at, stranger);
    auto answer = co_await p.b.accept_offer(changed);
    REQUIRE(answer);
    REQUIRE(p.a.accept_answer(*answer));
    const auto ok = co_await p.b.connected();
    CHECK_FALSE(ok);
    CHECK(p.b.reason().find("DTLS") != std::string::npos);
    CHECK(co_await p.b.accept_channel() == nullptr);
  });
}

TEST_CASE("closing one side ends the other without waiting for consent") {
  two_peers p;
  p.run([&]() -> async::task<> {
    auto c = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.b.connected());
    auto cb = co_await p.b.accept_channel();
    const auto begin = p.net.now();
    p.a.close();
    co_await p.b.closed();
    CHECK(p.net.now() - begin < 5s);
    CHECK_FALSE(co_await cb->receive());
  });
}

TEST_CASE("a connection that is cancelled tells its peer while it still has a path") {
  two_peers p;
  p.net.run([](two_peers& t) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("b", [&t] { return t.b.run(); });
      base::instant cut;
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& inner) -> async::task<> {
        inner.spawn("a", [&t] { return t.a.run(); });
        auto c = t.a.create_channel({.label = "x"});
        co_await t.negotiate();
        REQUIRE(co_await t.b.connected());
        cut = t.net.now();
      });
      co_await t.b.closed();
      CHECK(t.net.now() - cut < 1s);
    });
  }(p));
}

TEST_CASE("what was sent before an orderly close arrives") {
  two_peers p;
  p.run([&]() -> async::task<> {
    auto ca = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.b.connected());
    auto cb = co_await p.b.accept_channel();
    for (int i = 0; i < 500; ++i) {
      const bool sent = (co_await ca->send({pattern(1000), false})).has_value();
      REQUIRE(sent);
    }
    ca->close();
    int got = 0;
    while (co_await cb->receive()) ++got;
    CHECK(got == 500);
  });
}

TEST_CASE("a connection that is closed before it stands ends at once and answers every await") {
  two_peers p;
  p.run([&]() -> async::task<> {
    p.a.close();
    const auto ok = co_await p.a.connected();
    CHECK_FALSE(ok);
    co_await p.a.closed();
    CHECK_FALSE(co_await p.a.create_offer());
    CHECK(co_await p.a.accept_channel() == nullptr);
  });
}

TEST_CASE("a lossy, reordering path delivers everything once and in order") {
  two_peers p(7, {.latency = 30ms, .jitter = 10ms, .loss = 0.05, .duplicate = 0.02, .reorder = 0.05});
  p.run([&]() -> async::task<> {
    auto ca = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.b.connected());
    auto cb = co_await p.b.accept_channel();
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("sender", [&]() -> async::task<> {
        for (int i = 0; i < 300; ++i) (void)co_await ca->send({base::to_bytes(std::to_string(i)), true});
      });
      for (int i = 0; i < 300; ++i) {
        auto m = co_await cb->receive();
        REQUIRE(m);
        CHECK(base::as_text(m->data) == std::to_string(i));
      }
    });
  });
}

TEST_CASE("descriptions that are no use are errors and the connection can still be made") {
  two_peers p;
  p.run([&]() -> async::task<> {
    for (const char* bad : {"", "v=0", "nonsense", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"})
      CHECK_FALSE(co_await p.b.accept_offer(bad));
    CHECK_FALSE(p.a.accept_answer("v=0"));
    CHECK_FALSE(p.a.add_candidate("candidate:x"));
    auto c = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.b.connected());
  });
}
