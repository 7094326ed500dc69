#include <doctest/doctest.h>

#include <algorithm>

#include "dtls/alert.hpp"
#include "dtls/record.hpp"
#include "wire.hpp"

using namespace strata;
using crypto::fingerprint;
using crypto::hash_function;
using test::side;
using namespace std::chrono_literals;

namespace {

fingerprint wrong() {
  fingerprint f{hash_function::sha_256, base::bytes(32, 0x11)};
  return f;
}

bool sent_alert_in_clear(const test::wire& w, side from, std::uint8_t description) {
  return std::any_of(w.log.begin(), w.log.end(), [&](const test::sent& d) {
    return d.from == from && d.data.size() == 15 && d.data[0] == 21 && d.data[13] == 2 && d.data[14] == description;
  });
}

}  // namespace

// req: 8122-6.2-a
// req: 8122-6.2-b
// req: 8122-5.1-d
// req: 8842-5.1-c
// req: 8842-5.1-d
TEST_CASE("A client that sees the wrong certificate stops with bad_certificate before anything is handed up") {
  test::wire w;
  w.build({wrong()}, {w.certificate(side::client).fingerprint()});
  const auto [client, server] = w.handshake();
  REQUIRE_FALSE(client);
  CHECK(client.error() == make_error_code(dtls::errc::fingerprint_mismatch));
  CHECK(server.error() == make_error_code(dtls::errc::fatal_alert));
  CHECK(sent_alert_in_clear(w, side::client, 42));
  CHECK(w.server().reason() == "the peer sent the fatal alert bad_certificate (42)");
  // The reason names what was shown and what was promised.
  CHECK(w.client().reason().find(crypto::format(w.certificate(side::server).fingerprint())) != std::string::npos);
  CHECK(w.client().reason().find(crypto::format(wrong())) != std::string::npos);
  CHECK_FALSE(w.server().send(base::as_bytes("secret")));
  CHECK(w.received(side::client).empty());
  CHECK(w.client().current_state() == dtls::state::failed);
}

// req: 8122-6.2-c
// req: 8122-6.2-d
// req: 8842-5.1-d
TEST_CASE("A server that sees the wrong certificate stops with bad_certificate before anything is handed up") {
  test::wire w;
  w.build({w.certificate(side::server).fingerprint()}, {wrong()});
  const auto [client, server] = w.handshake();
  REQUIRE_FALSE(server);
  CHECK(server.error() == make_error_code(dtls::errc::fingerprint_mismatch));
  CHECK(client.error() == make_error_code(dtls::errc::fatal_alert));
  CHECK(sent_alert_in_clear(w, side::server, 42));
  CHECK_FALSE(w.client().send(base::as_bytes("secret")));
  CHECK(w.received(side::server).empty());
}

// req: 8122-5.1-c
// req: 8122-6.1-a
TEST_CASE("Any fingerprint of the best hash function will do, a good one of a weaker one will not") {
  for (auto h : {hash_function::sha_1, hash_function::sha_256, hash_function::sha_384, hash_function::sha_512}) {
    test::wire w;
    w.build({w.certificate(side::server).fingerprint(h)}, {w.certificate(side::client).fingerprint(h)});
    const auto [client, server] = w.handshake();
    CHECK(client);
    CHECK(server);
  }
  test::wire two;
  two.build({wrong(), two.certificate(side::server).fingerprint()}, {two.certificate(side::client).fingerprint()});
  CHECK(two.handshake().first);
  test::wire weak;
  weak.build({wrong(), weak.certificate(side::server).fingerprint(hash_function::sha_1)},
             {weak.certificate(side::client).fingerprint()});
  CHECK_FALSE(weak.handshake().first);
}

// req: 8842-5.2-b
// req: 8842-5.2-c
// req: 8122-6.2-e
// req: 8122-6.2-f
TEST_CASE("A server whose answer is late finishes the handshake, keeps early data back, and hands it up once verified") {
  test::wire w;
  w.build({w.certificate(side::server).fingerprint()}, {});
  const auto client_first = [](test::wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("server", [&w]() -> async::task<> {
        const auto server = co_await w.server().handshake();
        CHECK(server);
      });
      const auto client = co_await w.client().handshake();
      CHECK(client);
      CHECK(w.client().send(base::as_bytes("early")));
      co_await async::sleep_for(3s);
      CHECK(w.server().current_state() == dtls::state::unverified);
      CHECK(w.received(side::server).empty());
      CHECK_FALSE(w.server().send(base::as_bytes("no")));
      w.server().expect({w.certificate(side::client).fingerprint()});
    });
  };
  w.run(client_first(w));
  CHECK(w.server().current_state() == dtls::state::established);
  REQUIRE(w.received(side::server).size() == 1);
  CHECK(w.received(side::server)[0] == base::to_bytes("early"));
}

// req: 8842-5.2-c
// req: 8122-6.2-f
TEST_CASE("Early data is thrown away when the late fingerprint turns out wrong, and the client learns it") {
  test::wire w;
  w.build({w.certificate(side::server).fingerprint()}, {});
  const auto body = [](test::wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("server", [&w]() -> async::task<> {
        const auto server = co_await w.server().handshake();
        CHECK(server.error() == make_error_code(dtls::errc::fingerprint_mismatch));
      });
      const auto client = co_await w.client().handshake();
      CHECK(client);
      for (int i = 0; i < 1000; ++i) w.client().send(base::bytes(1000, 1));  // more than is kept
      co_await async::sleep_for(1s);
      CHECK(w.server().invariant());
      w.server().expect({wrong()});
      co_await w.client().closed();
      CHECK(w.client().reason() == "the peer sent the fatal alert bad_certificate (42)");
    });
  };
  w.run(body(w));
  CHECK(w.received(side::server).empty());
  CHECK(w.server().stats().datagrams_discarded > 900);
}

TEST_CASE("Fingerprints that never come end the handshake at its limit") {
  test::wire w;
  w.build({w.certificate(side::server).fingerprint()}, {}, {}, {.handshake_limit = 10s});
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server.error() == make_error_code(dtls::errc::timed_out));
  CHECK(w.server().reason() == "signaling never told the peer's fingerprints");
}
