#include "registry/jwt.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "crypto/hmac.hpp"

using namespace strata;
using namespace strata::registry;

namespace {

const base::bytes key = base::to_bytes("0123456789abcdef0123456789abcdef");
constexpr base::wall_time now{std::chrono::seconds(1'800'000'000)};
constexpr std::int64_t t = 1'800'000'000;

std::string b64(std::string_view text) { return base::base64url_encode(base::as_bytes(text)); }

// A token with any header and body, signed with our key.
std::string signed_as(std::string_view header, std::string_view body) {
  const auto part = b64(header) + "." + b64(body);
  const base::byte_view view = base::as_bytes(part);
  return part + "." + base::base64url_encode(crypto::hmac_sha256(key, std::span(&view, 1)));
}

constexpr std::string_view good_header = R"({"typ":"JWT","alg":"HS256"})";
const std::string good_body = R"({"sub":"a","role":"agent","iat":1800000000,"exp":1800000300})";

std::error_code refusal(std::string_view token) {
  const auto r = verify_token(token, key, now);
  return r ? std::error_code() : r.error().code;
}

}  // namespace

TEST_CASE("a token that we signed is taken until its lifetime and leeway are over") {
  const auto token = sign_token({"alice", "agent", t, t + 300}, key);
  const auto c = verify_token(token, key, now);
  REQUIRE(c);
  CHECK(c->sub == "alice");
  CHECK(c->role == "agent");
  CHECK(verify_token(token, key, now + std::chrono::seconds(359)));
  CHECK(verify_token(token, key, now + std::chrono::seconds(360)).error().code == jwt_errc::expired);  // req: 7519-4.1.4-a
}

TEST_CASE("tokens that are forged, confused or malformed are refused") {
  const std::pair<std::string, jwt_errc> table[] = {
      {"", jwt_errc::malformed},
      {".", jwt_errc::malformed},
      {"..", jwt_errc::malformed},
      {"a.b", jwt_errc::malformed},  // req: 7519-7.2-a
      {"a.b.c.d", jwt_errc::malformed},
      {std::string(5000, 'a'), jwt_errc::malformed},
      {b64("[]") + "." + b64(good_body) + ".x", jwt_errc::malformed},
      {b64("{") + "." + b64(good_body) + ".x", jwt_errc::malformed},
      {b64("\xff") + "." + b64(good_body) + ".x", jwt_errc::malformed},
      {"=" + b64(good_header) + "." + b64(good_body) + ".x", jwt_errc::malformed},  // req: 7519-7.2-b
      {signed_as("{}", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"none"})", good_body), jwt_errc::wrong_algorithm},  // req: 8725-3.1-a 8725-3.2-b 7519-8-a
      {b64(R"({"alg":"none"})") + "." + b64(good_body) + ".", jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"None"})", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"nOnE"})", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"HS512"})", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"RS256"})", good_body), jwt_errc::wrong_algorithm},  // req: 8725-3.1-b
      {signed_as(R"({"alg":"hs256"})", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":["HS256"]})", good_body), jwt_errc::wrong_algorithm},
      {signed_as(R"({"alg":"HS256","crit":["exp"]})", good_body), jwt_errc::critical_header},  // req: 7519-7.2-c
      {signed_as(R"({"alg":"HS256","crit":[]})", good_body), jwt_errc::critical_header},
      {signed_as(R"({"alg":"HS256","typ":"at+jwt"})", good_body), jwt_errc::bad_header},
      {signed_as(R"({"alg":"HS256","typ":7})", good_body), jwt_errc::bad_header},
      {signed_as(R"({"alg":"none","alg":"HS256"})", good_body), jwt_errc::malformed},
      {signed_as(good_header, R"({"sub":"a","sub":"b","role":"agent","iat":1800000000,"exp":1800000300})"),
       jwt_errc::malformed},                                // req: 7519-4-a
      {signed_as(good_header, "[]"), jwt_errc::malformed},  // req: 7519-3-a
      {signed_as(good_header, "{}"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"role":"agent","iat":1800000000,"exp":1800000300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"","role":"agent","iat":1800000000,"exp":1800000300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","iat":1800000000,"exp":1800000300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","exp":1800000300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":"1800000300"})"),
       jwt_errc::bad_claims},  // req: 7519-4.1.6-a
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":null})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":-1})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":1e300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":["a"],"role":"agent","iat":1800000000,"exp":1800000300})"), jwt_errc::bad_claims},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1799990000,"exp":1799990300})"), jwt_errc::expired},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800001000,"exp":1800002000})"), jwt_errc::not_yet_valid},
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":1800000300,"nbf":1800001000})"),
       jwt_errc::not_yet_valid},  // req: 7519-4.1.5-a
      {signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000,"exp":1800000300,"nbf":"0"})"),
       jwt_errc::bad_claims},
      {b64(good_header) + "." + b64(good_body) + ".", jwt_errc::bad_signature},
      {b64(good_header) + "." + b64(good_body) + "." + b64("x"), jwt_errc::bad_signature},
      {b64(good_header) + "." + b64(good_body) + "." + b64(std::string(32, 'x')), jwt_errc::bad_signature},
  };
  for (const auto& [token, code] : table) {
    CAPTURE(token);
    CHECK(refusal(token) == code);  // req: 7519-7.2-d
  }
}

TEST_CASE("any changed character of a token breaks it") {
  const auto token = sign_token({"alice", "agent", t, t + 300}, key);
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK(refusal(changed));
  }
  CHECK(refusal(token + "="));
  CHECK(refusal(token + " "));
}

TEST_CASE("a token signed with another key is refused") {
  const auto other = base::to_bytes("another-key-another-key-another-");
  CHECK(refusal(sign_token({"alice", "agent", t, t + 300}, other)) == jwt_errc::bad_signature);
}

TEST_CASE("unknown claims and fractional dates are taken") {  // req: 7519-4-b
  CHECK_FALSE(
      refusal(signed_as(good_header, R"({"sub":"a","role":"agent","iat":1800000000.5,"exp":1.8000003e9,"x":{"y":1}})")));
}
