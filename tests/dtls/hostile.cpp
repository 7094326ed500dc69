#include <doctest/doctest.h>

#include <random>

#include "base/hex.hpp"
#include "dtls/record.hpp"
#include "hello.hpp"
#include "wire.hpp"

using namespace strata;
using test::side;
using namespace std::chrono_literals;

namespace {

base::bytes hex(std::string_view text) { return *base::from_hex(text); }

// Datagrams that anybody could have made, for either side.
std::vector<base::bytes> garbage() {
  std::vector<base::bytes> out;
  for (const char* text : {
           "14",
           "16",
           "17",
           "3f",
           "16fefd",
           "16fefd00000000000000000000",
           "14 fefd 0000 00000000ff00 0001 02",                           // ChangeCipherSpec with a wrong value
           "14 fefd 0000 00000000ff01 0002 0101",                         // and with a wrong length
           "15 fefd 0000 00000000ff02 0001 02",                           // half an alert
           "15 fefd 0000 00000000ff03 0002 0928",                         // an alert of no level
           "15 0303 0000 00000000ff04 0002 0228",                         // an alert of TLS, not DTLS
           "16 fefd 0000 00000000ff05 0000",                              // nothing
           "16 fefd 0000 00000000ff06 0003 010000",                       // a quarter of a header
           "16 fefd 0000 00000000ff07 000c 0bffffff 0001 000000 ffffff",  // a fragment of 16 MiB that is not there
           "16 fefd 0000 00000000ff08 000c 0b000004 0001 000005 000000",  // a fragment behind its message
           "17 fefd 0000 00000000ff09 0004 61626364",                     // application data in the clear
           "18 fefd 0000 00000000ff0a 0004 61626364",                     // no known content type
           "16 0100 0000 00000000ff0b 0004 61626364",                     // the version of long ago
           "17 fefd 0007 00000000ff0c 0004 61626364",                     // an epoch that will never come
       })
    out.push_back(hex(text));
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    base::bytes d(1 + random() % 300);
    for (auto& octet : d) octet = static_cast<std::uint8_t>(random());
    d[0] = static_cast<std::uint8_t>(20 + random() % 44);
    if (d.size() > 13 && i % 2 == 0) {  // a plausible header around it
      d[0] = static_cast<std::uint8_t>(20 + random() % 4);
      d[1] = 0xfe;
      d[2] = 0xfd;
      d[3] = 0;
      d[4] = 0;
      d[11] = static_cast<std::uint8_t>((d.size() - 13) >> 8);
      d[12] = static_cast<std::uint8_t>(d.size() - 13);
      if (d[0] == 21) d[0] = 20;  // a well-formed alert in the clear does end a DTLS 1.2 handshake
    }
    out.push_back(std::move(d));
  }
  return out;
}

}  // namespace

// req: 6347-4.1.2.1-a
// req: 6347-4.1.2.7-a
TEST_CASE("Garbage in the middle of a session is dropped without an answer, and the session goes on") {
  test::wire w;
  w.build();
  w.handshake();
  const std::size_t sent = w.log.size();
  std::size_t thrown = 0;
  for (const auto& d : garbage())
    for (side s : {side::client, side::server}) {
      w.inject(s, d);
      ++thrown;
    }
  w.settle();
  CHECK(w.log.size() == sent);
  CHECK(w.client().stats().datagrams_discarded + w.server().stats().datagrams_discarded == thrown);
  CHECK(w.client().send(base::as_bytes("still here")));
  w.settle();
  CHECK(w.received(side::server).size() == 1);
}

// req: 6347-4.1.2.7-a
TEST_CASE("Garbage before and during the handshake does not keep it from succeeding") {
  for (base::duration when : {0ms, 10ms, 30ms, 50ms, 70ms}) {
    CAPTURE(when.count());
    test::wire w;
    w.build();
    for (const auto& d : garbage())
      for (side s : {side::client, side::server}) w.inject(s, d, when);
    const auto [client, server] = w.handshake();
    CHECK(client);
    CHECK(server);
    CHECK(w.server().stats().datagrams_discarded > 100);
  }
}

TEST_CASE("Every changed bit of a protected record makes it worthless, and nothing else happens") {
  test::wire w;
  w.build();
  w.handshake();
  w.log.clear();
  w.tamper = [](side, std::size_t, const base::bytes&) { return std::vector<test::wire::arrival>{}; };
  w.client().send(base::as_bytes("attack at dawn"));
  const base::bytes good = w.log[0].data;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    base::bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1 << bit % 8);
    w.inject(side::server, bad);
  }
  w.settle();
  CHECK(w.received(side::server).empty());
  CHECK(w.server().current_state() == dtls::state::established);
  w.inject(side::server, good);
  w.settle();
  CHECK(w.received(side::server).size() == 1);
}

// req: 6347-4.2.8-a
TEST_CASE("A ClientHello in the clear does not disturb a living association, with or without cookies") {
  for (bool cookie : {false, true}) {
    test::wire w;
    w.build({}, {.cookie_exchange = cookie, .client_id = base::to_bytes("192.0.2.1:4433")});
    w.handshake();
    const base::bytes first = w.log[0].data;
    base::bytes with_cookie;
    for (const auto& d : w.log)
      if (d.from == side::client && d.data[13] == 1) with_cookie = d.data;
    const std::size_t sent = w.log.size();
    w.inject(side::server, first);
    w.inject(side::server, with_cookie);
    w.inject(side::server, test::hello_fragment(test::chromium_hello(), 0, 1413, 500));
    w.settle();
    CHECK(w.log.size() == sent);
    CHECK(w.server().current_state() == dtls::state::established);
    CHECK(w.client().send(base::as_bytes("still here")));
    w.settle();
    CHECK(w.received(side::server).size() == 1);
  }
}

TEST_CASE("A forged alert in the clear cannot end an established association, but ends a handshake with its name") {
  test::wire w;
  w.build();
  w.handshake();
  w.inject(side::client, hex("15 fefd 0000 00000000ff02 0002 0228"));
  w.inject(side::client, hex("15 fefd 0000 00000000ff03 0002 0100"));
  w.settle();
  CHECK(w.client().current_state() == dtls::state::established);

  test::wire other;
  other.build();
  other.inject(side::client, hex("15 fefd 0000 00000000ff02 0002 0246"), 1ms);
  const auto [client, server] = std::pair(other.run(other.client().handshake()), 0);
  CHECK(client.error() == make_error_code(dtls::errc::fatal_alert));
  CHECK(other.client().reason() == "the peer sent the fatal alert protocol_version (70)");
}

TEST_CASE("Datagrams before handshake() are kept within a bound, and what fits is used") {
  test::wire w;
  w.build();
  for (int i = 0; i < 1000; ++i) w.server().receive(base::bytes(1200, 22));
  CHECK(w.server().invariant());
  CHECK(w.server().stats().datagrams_discarded >= 900);
  const auto [client, server] = w.handshake();  // the client's hello is repeated after a second if it found no room
  CHECK(client);
  CHECK(server);

  test::wire early;
  early.build();
  const auto late_server = [](test::wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("client", [&w]() -> async::task<> { CHECK(co_await w.client().handshake()); });
      co_await async::sleep_for(500ms);
      CHECK(co_await w.server().handshake());
    });
  };
  early.run(late_server(early));
  CHECK(early.loop.now().time_since_epoch() < 1s);  // the hello that had waited was used
}

TEST_CASE("A hello that fits nobody fails the server's handshake with an alert and a reason") {
  base::bytes hello = test::chromium_hello();
  for (std::size_t i = 38; i < 38 + 28; i += 2) hello[i] = 0x00, hello[i + 1] = 0x2f;  // RSA and CBC only
  test::wire w;
  w.build();
  w.inject(side::server, test::hello_fragment(hello, 0, 1413, 0));
  const auto server = w.run(w.server().handshake());
  CHECK(server.error() == make_error_code(dtls::errc::handshake_failed));
  REQUIRE_FALSE(w.log.empty());
  CHECK(base::to_hex(base::byte_view(w.log.back().data).subspan(13)) == "0228");
  CHECK_FALSE(w.server().reason().empty());
}
