#include <doctest/doctest.h>

#include "base/hex.hpp"
#include "foreign.hpp"
#include "hello.hpp"

using namespace strata;
using test::foreign;
using test::side;

// req: 8827-6.5-a
TEST_CASE("A peer with nothing but the mandatory suite and curve is served") {
  static const int only[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
  static const mbedtls_ecp_group_id p256[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
  test::wire w;
  w.build();
  foreign peer(w, side::client, [](mbedtls_ssl_config& c) {
    mbedtls_ssl_conf_ciphersuites(&c, only);
    mbedtls_ssl_conf_curves(&c, p256);
  });
  peer.start();
  CHECK(w.run(w.server().handshake()));
  CHECK(w.server().send(base::as_bytes("hello")));
  w.settle();
  CHECK(peer.received == "hello");
}

TEST_CASE("Records pass both ways between us and plain mbedTLS, with every suite that we offer, in both roles") {
  static const int suites[][2] = {{MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0},
                                  {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, 0},
                                  {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 0}};
  for (const auto& suite : suites)
    for (side ours : {side::client, side::server}) {
      CAPTURE(suite[0]);
      CAPTURE(static_cast<int>(ours));
      test::wire w;
      w.build();
      const side theirs = ours == side::client ? side::server : side::client;
      foreign peer(w, theirs, [&](mbedtls_ssl_config& c) {
        mbedtls_ssl_conf_ciphersuites(&c, suite);
        mbedtls_ssl_conf_authmode(&c, MBEDTLS_SSL_VERIFY_OPTIONAL);
      });
      if (theirs == side::client) peer.start();
      REQUIRE(w.run(w.at(ours).handshake()));
      w.settle();
      std::string sent;
      for (std::size_t i = 0; i < 300; ++i) {
        const std::string text(1 + i * 3, static_cast<char>('a' + i % 26));
        sent += text;
        CHECK(w.at(ours).send(base::as_bytes(text)));
        mbedtls_ssl_write(&peer.ssl(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
        w.settle(std::chrono::milliseconds(50));
      }
      CHECK(peer.received == sent);
      REQUIRE(w.received(ours).size() == 300);
      std::string heard;
      for (const auto& record : w.received(ours)) heard += base::as_text(record);
      CHECK(heard == sent);
      w.at(ours).close();  // an alert of mbedTLS behind our records: the numbers go on
      w.settle();
      CHECK(peer.last == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    }
}

// req: 8827-6.5-f
// req: 6347-4.1.2.2-a
TEST_CASE("A peer that offers only NULL, RC4, CBC or RSA suites gets handshake_failure") {
  static const int null_only[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_NULL_SHA, 0};
  static const int rc4_only[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, 0};
  static const int cbc_only[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0};
  static const int rsa_only[] = {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0};
  for (const int* suites : {null_only, rc4_only, cbc_only, rsa_only}) {
    base::bytes hello = test::chromium_hello();
    for (std::size_t at = 38; at < 38 + 28; at += 2) {
      hello[at] = static_cast<std::uint8_t>(suites[0] >> 8);
      hello[at + 1] = static_cast<std::uint8_t>(suites[0]);
    }
    test::wire w;
    w.build();
    w.inject(side::server, test::hello_fragment(hello, 0, hello.size(), 0));
    CHECK(w.run(w.server().handshake()).error() == make_error_code(dtls::errc::handshake_failed));
    CHECK(base::to_hex(base::byte_view(w.log.back().data).subspan(13)) == "0228");
  }
}

// req: 8827-6.5-f
// req: 6347-4.1.2.2-a
// req: 8261-5-a
TEST_CASE("Our ClientHello offers three AEAD suites with forward secrecy, AES-128-GCM first, and null compression") {
  test::wire w;
  w.build();
  w.handshake();
  const base::bytes hello = test::hello_body(w.log[0].data);
  const std::size_t suites = 34 + 1 + hello[34] + 1;  // after version, random, session id, cookie (empty)
  const std::size_t size = static_cast<std::size_t>(hello[suites] << 8 | hello[suites + 1]);
  CHECK(base::to_hex(base::byte_view(hello).subspan(suites + 2, size)) == "c02bc02ccca900ff");  // and the RFC 5746 signal
  CHECK(base::to_hex(base::byte_view(hello).subspan(suites + 2 + size, 2)) == "0100");
}

TEST_CASE("A peer that speaks only DTLS 1.0 gets protocol_version") {
  base::bytes hello = test::chromium_hello();
  hello[1] = 0xff;
  test::wire w;
  w.build();
  w.inject(side::server, test::hello_fragment(hello, 0, hello.size(), 0));
  CHECK(w.run(w.server().handshake()).error() == make_error_code(dtls::errc::handshake_failed));
  CHECK(base::to_hex(base::byte_view(w.log.back().data).subspan(13)) == "0246");
}

// req: 8122-6.2-d
TEST_CASE("A client that shows no certificate is refused with bad_certificate") {
  test::wire w;
  w.build();
  foreign peer(w, side::client, [](mbedtls_ssl_config&) {}, false);
  peer.start();
  const auto server = w.run(w.server().handshake());
  CHECK(server.error() == make_error_code(dtls::errc::no_peer_certificate));
  CHECK(base::to_hex(base::byte_view(w.log.back().data).subspan(13)) == "022a");
}

// req: 8827-6.5-e
// req: 6347-4.1-a
TEST_CASE("A request to negotiate again is declined, by our client and by our server, and data goes on") {
  for (side ours : {side::client, side::server}) {
    CAPTURE(static_cast<int>(ours));
    test::wire w;
    w.build();
    const side theirs = ours == side::client ? side::server : side::client;
    foreign peer(w, theirs, [](mbedtls_ssl_config& c) {
      mbedtls_ssl_conf_authmode(&c, MBEDTLS_SSL_VERIFY_OPTIONAL);
      mbedtls_ssl_conf_renegotiation(&c, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
      mbedtls_ssl_conf_renegotiation_enforced(&c, MBEDTLS_SSL_RENEGOTIATION_NOT_ENFORCED);
    });
    if (theirs == side::client) peer.start();
    REQUIRE(w.run(w.at(ours).handshake()));
    w.settle();
    REQUIRE(peer.ssl().state == MBEDTLS_SSL_HANDSHAKE_OVER);
    const std::size_t sent = w.log.size();
    mbedtls_ssl_renegotiate(&peer.ssl());
    w.settle();
    bool declined = false;
    for (std::size_t i = sent; i < w.log.size(); ++i)
      declined = declined || (w.log[i].from == ours && w.log[i].data[0] == 21 && w.log[i].data[4] == 1);
    CHECK(declined);
    CHECK(w.at(ours).current_state() == dtls::state::established);
    for (const auto& d : w.log) CHECK(d.data[4] <= 1);  // no epoch beyond the first protected one
    CHECK(w.at(ours).send(base::as_bytes("still here")));
  }
}
