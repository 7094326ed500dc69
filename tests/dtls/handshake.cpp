#include "dtls/endpoint.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "dtls/record.hpp"
#include "wire.hpp"

using namespace strata;
using test::side;

// req: 8827-6.5-a
// req: 8827-6.5-c
// req: 8827-6.5-d
TEST_CASE("A client and a server finish with AES-128-GCM and verify each other within two round trips") {
  test::wire w;
  w.build();
  const auto [client, server] = w.handshake();
  REQUIRE(client);
  REQUIRE(server);
  CHECK(w.client().current_state() == dtls::state::established);
  CHECK(w.server().current_state() == dtls::state::established);
  CHECK(w.client().cipher_suite() == "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256");
  CHECK(w.loop.now().time_since_epoch() == 4 * test::wire::latency);
  CHECK(w.trace(side::client).states == std::vector<std::string>{"handshaking", "established"});
  CHECK(w.client().invariant());
}

TEST_CASE("Data flows both ways after the handshake, record by record, empty and oversized data is refused") {
  test::wire w;
  w.build();
  w.handshake();
  CHECK(w.client().send(base::as_bytes("ping")));
  CHECK(w.server().send(base::as_bytes("pong")));
  CHECK_FALSE(w.client().send({}));
  CHECK_FALSE(w.client().send(base::bytes(dtls::largest_plaintext + 1)));
  w.settle();
  REQUIRE(w.received(side::server).size() == 1);
  CHECK(base::as_text(w.received(side::server)[0]) == "ping");
  CHECK(base::as_text(w.received(side::client)[0]) == "pong");
}

// req: 6347-4.1.1-a
TEST_CASE("No datagram of the handshake is larger than the MTU, even a small one") {
  for (std::uint16_t mtu : {1200, 600, 256}) {
    CAPTURE(mtu);
    test::wire w;
    w.build({.mtu = mtu}, {.mtu = mtu});
    const auto [client, server] = w.handshake();
    CHECK(client);
    CHECK(server);
    for (const auto& d : w.log) {
      CHECK(d.data.size() <= mtu);
      base::byte_view rest = d.data;
      while (!rest.empty()) REQUIRE(dtls::take_record(rest));  // every record ends inside its datagram
    }
  }
}

TEST_CASE("Both hellos name an SRTP profile, for peers that take no handshake without one") {
  test::wire w;
  w.build();
  w.handshake();
  const base::bytes use_srtp{0x00, 0x0e, 0x00, 0x05, 0x00, 0x02, 0x00, 0x01, 0x00};  // RFC 5764 §4.1.1: one profile, no MKI
  unsigned hellos = 0;
  for (const auto& d : w.log) hellos += !std::ranges::search(d.data, use_srtp).empty();
  CHECK(hellos == 2);
}

TEST_CASE("The same seed gives the same certificates") {
  test::wire one(7), two(7), three(8);
  CHECK(one.certificate(side::client).fingerprint() == two.certificate(side::client).fingerprint());
  CHECK_FALSE(one.certificate(side::client).fingerprint() == three.certificate(side::client).fingerprint());
}

TEST_CASE("Both sides hand the same secret to the trace, named by the client's random") {
  test::wire w;
  w.build();
  w.handshake();
  REQUIRE(w.trace(side::client).secrets.size() == 1);
  REQUIRE(w.trace(side::server).secrets.size() == 1);
  const auto& client = w.trace(side::client).secrets[0];
  const auto& server = w.trace(side::server).secrets[0];
  CHECK(client.client_random == server.client_random);
  CHECK(client.master_secret == server.master_secret);
  // ClientHello: record header, handshake header, version, random
  const base::byte_view hello = w.log.front().data;
  CHECK(std::equal(client.client_random.begin(), client.client_random.end(), hello.begin() + 13 + 12 + 2));
}

TEST_CASE("handshake() a second time is refused, and so it is after close()") {
  test::wire w;
  w.build();
  w.handshake();
  CHECK_FALSE(w.run(w.client().handshake()));
  test::wire other;
  other.build();
  other.client().close();
  CHECK(other.run(other.client().handshake()).error() == make_error_code(dtls::errc::closed));
}

// req: 8842-5.3-e
// req: 8842-5.4-a
// req: 8842-5.4-b
TEST_CASE("The client speaks first, and the server says nothing until it has heard a hello") {
  test::wire w;
  w.build();
  CHECK_FALSE(w.run(async::with_timeout(std::chrono::seconds(20), w.server().handshake())));
  for (const auto& d : w.log) CHECK(d.data[0] == 21);  // only the alerts with which it gave up
  test::wire other;
  other.build();
  other.handshake();
  CHECK(other.log.front().from == side::client);
  CHECK(other.log.front().at.time_since_epoch().count() == 0);
}
