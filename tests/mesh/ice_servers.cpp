#include "mesh/ice_servers.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::mesh;
using namespace std::chrono_literals;

namespace {
ice_servers from(const char* text) { return ice_servers::from(*base::json::parse(text)); }
}  // namespace

TEST_CASE("servers are read as browsers read them") {
  const auto s = from(R"([{"urls":"stun:a.example"},
    {"urls":["turns:b.example:443?transport=tcp","turn:b.example?transport=tcp","turn:b.example?transport=udp"],"username":"u","credential":"c"}])");
  REQUIRE(s.stun.size() == 1);
  CHECK(s.stun[0].host == "a.example");
  CHECK(s.stun[0].port == 3478);
  REQUIRE(s.turn.size() == 3);
  CHECK(s.turn[0].uri.transport == stun::server_uri::transport_kind::udp);
  CHECK(s.turn[1].uri.transport == stun::server_uri::transport_kind::tcp);
  CHECK(s.turn[2].uri.secure);
  CHECK(s.turn[2].uri.port == 443);
  CHECK(s.turn[0].username == "u");
  CHECK(s.turn[0].credential == "c");
  CHECK(s.unusable == 0);
}

TEST_CASE("where no transport is named, both are tried") {
  const auto s = from(R"([{"urls":"turn:a.example","username":"u","credential":"c"}])");
  REQUIRE(s.turn.size() == 2);
  CHECK(s.turn[0].uri.transport == stun::server_uri::transport_kind::udp);
  CHECK(s.turn[1].uri.transport == stun::server_uri::transport_kind::tcp);
}

TEST_CASE("what cannot be read costs only itself") {
  for (const auto* text : {R"([{"urls":"http://x"}])", R"([{"urls":5}])", R"([{}])", R"([{"urls":[7]}])", R"([17])",
                           R"([{"urls":"turn:x"}])", R"([{"urls":"turn:x","username":"u"}])", R"([{"urls":"turn:"}])"}) {
    CAPTURE(text);
    const auto s = from(text);
    CHECK(s.unusable == 1);
    CHECK(s.stun.empty());
    CHECK(s.turn.empty());
  }
  for (const auto* text : {"{}", "null", "[]"}) {
    CHECK(from(text).stun.empty());
    CHECK(from(text).unusable == 0);
  }
}

TEST_CASE("a list without end is cut") {
  std::string text = "[";
  for (int i = 0; i < 1000; ++i) text += R"({"urls":"stun:10.0.0.1"},)";
  text.back() = ']';
  CHECK(from(text.c_str()).stun.size() == 16);
}

TEST_CASE("credentials say when they end, and new ones are asked for long before") {  // req: turnrest-2.2-b
  CHECK(rest_expiry("1767225600:ada") == base::wall_time(1767225600s));
  CHECK(rest_expiry("1767225600") == base::wall_time(1767225600s));
  for (const auto* name : {"ada", "", ":ada", "12:ada", "99999999999999999999:ada", "17672256x0:ada", "-5:a"})
    CHECK_FALSE(rest_expiry(name));
  const base::wall_time now(1767225600s);
  CHECK(renewal_delay(now, now + 1h) == 30min);
  CHECK(renewal_delay(now, now + 30s) == 1min);
  CHECK(renewal_delay(now, now - 1h) == 1min);
  const auto s = from(R"([{"urls":"turn:x","username":"1767229200:a","credential":"c"},
                          {"urls":"turn:y","username":"1767225600:a","credential":"c"}])");
  CHECK(s.expiry() == base::wall_time(1767225600s));
}
