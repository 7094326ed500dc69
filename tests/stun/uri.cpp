// Addresses of servers as people write them.
#include "stun/uri.hpp"

#include <doctest/doctest.h>

using namespace strata;
using stun::server_uri;

// req: 8489-8.1-d
TEST_CASE("the default ports are 3478 and, over TLS, 5349") {
  CHECK(server_uri::parse("stun:stun.example.org")->port == 3478);
  CHECK(server_uri::parse("stuns:stun.example.org")->port == 5349);
  CHECK(server_uri::parse("turns:turn.example.org?transport=tcp")->port == 5349);
  CHECK(server_uri::parse("STUN:192.0.2.1:19302")->port == 19302);
  CHECK(server_uri::parse("stun:[2001:db8::1]:19302")->host == "2001:db8::1");
  CHECK(server_uri::parse("turn:t.example?transport=tcp")->transport == server_uri::transport_kind::tcp);
}

// req: 8489-8.1-a
TEST_CASE("stuns with an address literal is refused: no certificate names it") {
  CHECK(server_uri::parse("stuns:192.0.2.1").error() == make_error_code(stun::errc::bad_value));
  CHECK(server_uri::parse("stuns:[2001:db8::1]:5349").error() == make_error_code(stun::errc::bad_value));
}

TEST_CASE("what is no server address is refused with a place") {
  for (const auto* text : {"", "stun", "stun:", "http://x", "stun://x", "stun:x:", "stun:x:0", "stun:x:65536", "stun:x:1x",
                           "stun:[::1", "stun:x?transport=udp", "turn:x?transport=sctp", "turn:x?", "stun: x", "stun:u@x"}) {
    CAPTURE(text);
    const auto r = server_uri::parse(text);
    REQUIRE_FALSE(r);
    CHECK(r.error().offset != base::error::nowhere);
  }
}
