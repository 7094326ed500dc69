// Tokens that somebody made to get in. Those that carry a good MAC show what would happen if an attack on the MAC succeeded, or
// if another service shared our secret: still nothing.
#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "crypto/hmac.hpp"
#include "registry/jwt.hpp"
#include "registry/revocations.hpp"

using namespace strata;
using namespace strata::registry;

namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";
constexpr base::wall_time now{std::chrono::seconds(1'800'000'000)};

std::string b64(std::string_view text) { return base::base64url_encode(base::as_bytes(text)); }
std::string mac(std::string_view part, std::string_view key) {
  return base::base64url_encode(crypto::hmac_sha256(base::as_bytes(key), base::as_bytes(part)));
}
std::string signed_parts(const std::string& header, const std::string& body, std::string_view key = secret) {
  return header + "." + body + "." + mac(header + "." + body, key);
}
std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), with);
}

const std::string kid = token_keys::kid_of(base::as_bytes(secret));
const std::string header = R"({"typ":"JWT","alg":"HS256","kid":")" + kid + R"("})";
const std::string body =
    R"({"sub":"a","role":"agent","iat":1800000000,"nbf":1800000000,"exp":1800000300,"iss":"registryd","aud":"registryd","jti":"j"})";

// Our header or body with one thing changed, under a good MAC.
std::string with_header(std::string_view what, std::string_view with) {
  return signed_parts(b64(replaced(header, what, with)), b64(body));
}
std::string with_body(std::string_view what, std::string_view with) {
  return signed_parts(b64(header), b64(replaced(body, what, with)));
}
std::string with_alg(std::string_view alg) { return with_header(R"("HS256")", alg); }
std::string with_kid(std::string_view value) { return with_header('"' + kid + '"', value); }
std::string more_header(std::string_view member) { return with_header("{", "{" + std::string(member) + ","); }
std::string more_body(std::string_view member) { return with_body("{", "{" + std::string(member) + ","); }

const std::string good = signed_parts(b64(header), b64(body));
const std::string head = b64(header), claims_part = b64(body), tag = mac(head + "." + claims_part, secret);
const std::string unsigned_part = head + "." + claims_part + ".";

struct row {
  std::string_view attack;
  std::string token;
  jwt_errc refused_as;
};

std::vector<row> rows() {
  using enum jwt_errc;
  using namespace std::string_literals;
  return {
      // The algorithm is the attacker's wish.
      // req: 8725-3.1-a 8725-3.1-b 8725-3.1-c 8725-3.2-a 8725-3.2-b 7519-8-a
      {"alg none, empty signature", b64(R"({"alg":"none"})") + "." + claims_part + ".", wrong_algorithm},
      {"alg none, under a good MAC", with_alg(R"("none")"), wrong_algorithm},
      {"alg None", with_alg(R"("None")"), wrong_algorithm},
      {"alg NONE", with_alg(R"("NONE")"), wrong_algorithm},
      {"alg nOnE", with_alg(R"("nOnE")"), wrong_algorithm},
      {"alg none with a space", with_alg(R"("none ")"), wrong_algorithm},
      {"alg none with a NUL", with_alg(R"("none\u0000")"), wrong_algorithm},
      {"alg none in escapes", with_alg(R"("\u006eone")"), wrong_algorithm},
      {"alg empty", with_alg(R"("")"), wrong_algorithm},
      {"alg null", with_alg("null"), wrong_algorithm},
      {"alg false", with_alg("false"), wrong_algorithm},
      {"alg 0", with_alg("0"), wrong_algorithm},
      {"alg as an array", with_alg(R"(["HS256"])"), wrong_algorithm},
      {"alg as an object", with_alg(R"({"HS256":1})"), wrong_algorithm},
      {"alg missing", with_header(R"("alg":"HS256",)", ""), wrong_algorithm},
      {"member Alg instead of alg", with_header(R"("alg")", R"("Alg")"), wrong_algorithm},
      {"alg in lower case", with_alg(R"("hs256")"), wrong_algorithm},
      {"alg in full-width letters", with_alg("\"\uff28\uff33256\""), wrong_algorithm},
      {"alg with a zero-width space", with_alg("\"HS\u200b256\""), wrong_algorithm},
      {"alg HS384 with our secret", with_alg(R"("HS384")"), wrong_algorithm},
      {"alg HS512 with our secret", with_alg(R"("HS512")"), wrong_algorithm},
      {"RS256 and HS256 confused: the public key as secret", with_alg(R"("RS256")"), wrong_algorithm},
      {"ES256 with r = s = 0", b64(replaced(header, "HS256", "ES256")) + "." + claims_part + "." + b64(std::string(64, '\0')),
       wrong_algorithm},
      {"PS256", with_alg(R"("PS256")"), wrong_algorithm},
      {"EdDSA", with_alg(R"("EdDSA")"), wrong_algorithm},
      {"dir, as in an encrypted token", with_alg(R"("dir")"), wrong_algorithm},
      {"PBES2 with a count that burns the processor", with_alg(R"("PBES2-HS256+A128KW","p2c":2000000000)"), wrong_algorithm},
      {"alg twice, none first", more_header(R"("alg":"none")"), malformed},
      {"alg twice, none last", with_header("}", R"(,"alg":"none"})"), malformed},
      {"alg twice, one of them in escapes", more_header(R"("\u0061lg":"none")"), malformed},

      // The header brings or points to a key, or names one by a trick.
      // req: 8725-3.10-a
      {"jwk inside", more_header(R"("jwk":{"kty":"oct","k":"AA"})"), bad_header},
      {"jku", more_header(R"("jku":"https://evil.example/keys")"), bad_header},
      {"jku to a file", more_header(R"("jku":"file:///etc/passwd")"), bad_header},
      {"x5u", more_header(R"("x5u":"http://127.0.0.1:8080/metrics")"), bad_header},
      {"x5c", more_header(R"("x5c":["AA=="])"), bad_header},
      {"x5t#S256", more_header(R"("x5t#S256":"AA")"), bad_header},
      {"kid up the tree", with_kid(R"("../../../../dev/null")"), unknown_key},
      {"kid is a file whose content is known", with_kid(R"("/proc/sys/kernel/randomize_va_space")"), unknown_key},
      {"kid with SQL", with_kid(R"("x' UNION SELECT 'aaaa';--")"), unknown_key},
      {"kid with a command", with_kid(R"("|/bin/true")"), unknown_key},
      {"kid with a format", with_kid(R"("%s%n")"), unknown_key},
      {"kid empty", with_kid(R"("")"), unknown_key},
      {"kid missing", with_header(R"(,"kid":")" + kid + '"', ""), bad_header},
      {"kid null", with_kid("null"), unknown_key},
      {"kid as a number", with_kid("0"), unknown_key},
      {"kid as an array", with_kid("[\"" + kid + "\"]"), unknown_key},
      {"kid with a NUL after it", with_kid('"' + kid + "\\u0000\""), unknown_key},
      {"kid with its first half only", with_kid('"' + kid.substr(0, 8) + '"'), unknown_key},
      {"kid in upper case", with_kid("\"X" + kid.substr(1) + '"'), unknown_key},
      {"kid of a secret that we do not have",
       signed_parts(b64(replaced(header, kid, token_keys::kid_of(base::as_bytes("x")))), claims_part, "x"), unknown_key},
      {"kid twice", more_header("\"kid\":\"x\""), malformed},
      {"a very long kid", with_kid('"' + std::string(1000, 'k') + '"'), unknown_key},

      // The header asks for more than we do.
      // req: 7519-7.2-c 8725-3.11-a 8725-3.12-a
      {"crit exp", more_header(R"("crit":["exp"])"), critical_header},
      {"crit empty", more_header(R"("crit":[])"), critical_header},
      {"crit null", more_header(R"("crit":null)"), critical_header},
      {"crit that names alg", more_header(R"("crit":["alg"])"), critical_header},
      {"b64 false and critical", more_header(R"("b64":false,"crit":["b64"])"), critical_header},
      {"b64 false", more_header(R"("b64":false)"), bad_header},
      {"zip, a bomb to unpack", more_header(R"("zip":"DEF")"), bad_header},
      {"cty JWT: a token inside", more_header(R"("cty":"JWT")"), bad_header},
      {"enc", more_header(R"("enc":"A128GCM")"), bad_header},
      {"claims repeated in the header", more_header(R"("sub":"admin")"), bad_header},
      {"__proto__", more_header(R"("__proto__":{"alg":"none"})"), bad_header},
      {"typ of another kind of token", with_header(R"("JWT")", R"("at+jwt")"), bad_header},
      {"typ in lower case", with_header(R"("JWT")", R"("jwt")"), bad_header},
      {"typ as a number", with_header(R"("JWT")", "7"), bad_header},
      {"typ missing", with_header(R"("typ":"JWT",)", ""), bad_header},

      // The form.
      // req: 7519-3-a 7519-4-a 7519-7.2-a 7519-7.2-b 8725-3.7-a
      {"nothing", "", malformed},
      {"a dot", ".", malformed},
      {"two dots", "..", malformed},
      {"no signature part", head + "." + claims_part, malformed},
      {"four parts", good + ".", malformed},
      {"five parts, as an encrypted token has", head + ".AA.AA.AA.AA", malformed},
      {"the JSON form", R"({"payload":")" + claims_part + R"(","signature":")" + tag + "\"}", malformed},
      {"dots of another script", head + "\u3002" + claims_part + "\u3002" + tag, malformed},
      {"too long", good + std::string(longest_token, 'A'), malformed},
      {"a million dots", std::string(1'000'000, '.'), malformed},
      {"the scheme in front", "Bearer " + good, malformed},
      {"a space in front", " " + good, malformed},
      {"a line feed in front", "\n" + good, malformed},
      {"a NUL in front", "\0"s + good, malformed},
      {"a byte order mark in front", "\ufeff" + good, malformed},
      {"padding on the header", signed_parts(head + "=", claims_part), malformed},
      {"padding on the claims", signed_parts(head, claims_part + "=="), malformed},
      {"a line break in the claims", signed_parts(head, replaced(claims_part, "J", "\r\nJ")), malformed},
      {"plus and slash instead of minus and underscore", signed_parts(head, "+/" + claims_part), malformed},
      {"percent-encoded", signed_parts("%65" + head.substr(1), claims_part), malformed},
      {"left-over bits in the header",
       signed_parts(b64(header + " ").substr(0, b64(header + " ").size() - 1) + "B", claims_part), malformed},
      {"a byte order mark before the header object", signed_parts(b64("\ufeff" + header), claims_part), malformed},
      {"a byte order mark before the claims object", signed_parts(head, b64("\ufeff" + body)), malformed},
      {"a header in UTF-16", signed_parts(b64("{\0\"\0a\0l\0g\0\"\0:\0"s), claims_part), malformed},
      {"a header that is no UTF-8", signed_parts(b64("{\"alg\":\"\xff\"}"), claims_part), malformed},
      {"an overlong UTF-8 quote in the claims", signed_parts(head, b64(replaced(body, "\"a\"", "\"\xc0\xa2\""))), malformed},
      {"half a surrogate pair in sub", with_body(R"("a")", R"("\ud800")"), malformed},
      {"a raw control character in sub", with_body(R"("a")", "\"a\x01\""), malformed},
      {"a header that is an array", signed_parts(b64("[" + header + "]"), claims_part), malformed},
      {"a header that is a text", signed_parts(b64("\"HS256\""), claims_part), malformed},
      {"claims that are an array", signed_parts(head, b64("[]")), malformed},
      {"claims that are null", signed_parts(head, b64("null")), malformed},
      {"empty claims part", signed_parts(head, ""), malformed},
      {"data after the claims object", signed_parts(head, b64(body + body)), malformed},
      {"space after the claims object", signed_parts(head, b64(body + " ")), malformed},
      {"a NUL after the claims object", signed_parts(head, b64(body + "\0"s)), malformed},
      {"claims with a comment", signed_parts(head, b64(replaced(body, "{", "{/**/"))), malformed},
      {"claims with a trailing comma", signed_parts(head, b64(replaced(body, "}", ",}"))), malformed},
      {"claims in single quotes", signed_parts(head, b64("{'sub':'a'}")), malformed},
      {"claims cut off", signed_parts(head, b64(body.substr(0, body.size() - 1))), malformed},
      {"a header nested a hundred deep", more_header("\"x\":" + std::string(100, '[') + std::string(100, ']')), malformed},
      {"sub twice", more_body(R"("sub":"admin")"), malformed},
      {"role twice, admin last", with_body("}", R"(,"role":"admin"})"), malformed},
      {"exp twice", more_body(R"("exp":1799990000)"), malformed},
      {"a token inside the token", signed_parts(head, b64(good)), malformed},

      // The MAC.
      // req: 7519-7.2-d 8725-3.3-a
      {"no MAC", unsigned_part, bad_signature},
      {"a MAC of one octet", unsigned_part + b64(std::string_view("\0", 1)), bad_signature},
      {"a MAC cut to 16 octets", unsigned_part + tag.substr(0, 21) + "A", bad_signature},
      {"a MAC without its last character", unsigned_part + tag.substr(0, tag.size() - 1), bad_signature},
      {"a MAC with an octet more", unsigned_part + tag.substr(0, tag.size() - 1) + "AA", bad_signature},
      {"a MAC of zeros", unsigned_part + b64(std::string(32, '\0')), bad_signature},
      {"a MAC in padded base64", good + "=", bad_signature},
      {"a MAC with a space after it", good + " ", bad_signature},
      {"a MAC with a line feed after it", good + "\n", bad_signature},
      {"a MAC with a NUL after it", good + "\0"s, bad_signature},
      {"a MAC with something after it", good + "&role=admin", bad_signature},
      {"a MAC in hexadecimal", unsigned_part + std::string(64, 'a'), bad_signature},
      {"a MAC in left-over bits of its own", unsigned_part + tag.substr(0, tag.size() - 1) + (tag.back() == 'B' ? "C" : "B"),
       bad_signature},
      {"the MAC of another token", unsigned_part + mac("another.token", secret), bad_signature},
      {"the claims changed", head + "." + b64(replaced(body, R"("agent")", R"("admin")")) + "." + tag, bad_signature},
      {"an empty secret", signed_parts(head, claims_part, ""), bad_signature},
      {"the default secret of old", signed_parts(head, claims_part, "dev-secret-change-me"), bad_signature},
      {"the kid as secret", signed_parts(head, claims_part, kid), bad_signature},
      {"our secret in hexadecimal",
       signed_parts(head, claims_part, "3031323334353637383961626364656630313233343536373839616263646566"), bad_signature},
      {"our secret with a character more", signed_parts(head, claims_part, secret + "x"), bad_signature},

      // Who it is from and for.
      // req: 8725-3.8-a 8725-3.9-a 7519-4.1.3-a
      {"iss of somebody else", with_body(R"("iss":"registryd")", R"("iss":"evil")"), wrong_issuer},
      {"iss with a slash more", with_body(R"("iss":"registryd")", R"("iss":"registryd/")"), wrong_issuer},
      {"iss in Cyrillic look-alikes", with_body(R"("iss":"registryd")", "\"iss\":\"r\u0435gistryd\""), wrong_issuer},
      {"iss as an array", with_body(R"("iss":"registryd")", R"("iss":["registryd"])"), bad_claims},
      {"iss missing", with_body(R"("iss":"registryd",)", ""), bad_claims},
      {"aud of somebody else", with_body(R"("aud":"registryd")", R"("aud":"turn")"), wrong_audience},
      {"aud that begins like ours", with_body(R"("aud":"registryd")", R"("aud":"registryd.evil.example")"), wrong_audience},
      {"aud with others only", with_body(R"("aud":"registryd")", R"("aud":["turn","hub"])"), wrong_audience},
      {"aud as an empty array", with_body(R"("aud":"registryd")", R"("aud":[])"), wrong_audience},
      {"aud as an array in an array", with_body(R"("aud":"registryd")", R"("aud":[["registryd"]])"), bad_claims},
      {"aud with something that is no text", with_body(R"("aud":"registryd")", R"("aud":["registryd",1])"), bad_claims},
      {"aud as an object", with_body(R"("aud":"registryd")", R"("aud":{"registryd":1})"), bad_claims},
      {"aud null", with_body(R"("aud":"registryd")", R"("aud":null)"), bad_claims},
      {"aud missing", with_body(R"("aud":"registryd",)", ""), bad_claims},

      // Who it is about.
      // req: 8725-3.8-b
      {"sub missing", with_body(R"("sub":"a",)", ""), bad_claims},
      {"sub empty", with_body(R"("a")", R"("")"), bad_claims},
      {"sub as an array", with_body(R"("a")", R"(["a"])"), bad_claims},
      {"sub as a number", with_body(R"("a")", "1"), bad_claims},
      {"sub is the registry itself", with_body(R"("a")", R"("registry")"), bad_claims},
      {"sub with a NUL", with_body(R"("a")", R"("a\u0000b")"), bad_claims},
      {"sub with a line break", with_body(R"("a")", R"("a\r\nX-Role: admin")"), bad_claims},
      {"sub that turns the writing around", with_body(R"("a")", "\"a\u202e\""), bad_claims},
      {"sub in look-alikes", with_body(R"("a")", "\"\u0430\""), bad_claims},
      {"sub too long", with_body(R"("a")", '"' + std::string(129, 'a') + '"'), bad_claims},
      {"role missing", with_body(R"("role":"agent",)", ""), bad_claims},
      {"role that does not exist", with_body(R"("agent")", R"("root")"), bad_claims},
      {"role in capitals", with_body(R"("agent")", R"("ADMIN")"), bad_claims},
      {"two roles", with_body(R"("agent")", R"(["agent","admin"])"), bad_claims},
      {"jti missing", with_body(R"(,"jti":"j")", ""), bad_claims},
      {"jti empty", with_body(R"("jti":"j")", R"("jti":"")"), bad_claims},
      {"jti as a number", with_body(R"("jti":"j")", R"("jti":1)"), bad_claims},
      {"jti too long", with_body(R"("jti":"j")", R"("jti":")" + std::string(65, 'j') + '"'), bad_claims},

      // When.
      // req: 7519-4.1.4-a 7519-4.1.5-a 7519-4.1.6-a
      {"expired",
       signed_parts(
           head,
           b64(R"({"sub":"a","role":"agent","iat":1799990000,"nbf":1799990000,"exp":1799990300,"iss":"registryd","aud":"registryd","jti":"j"})")),
       expired},
      {"from the future",
       signed_parts(
           head,
           b64(R"({"sub":"a","role":"agent","iat":1800001000,"nbf":1800001000,"exp":1800001300,"iss":"registryd","aud":"registryd","jti":"j"})")),
       not_yet_valid},
      {"nbf in the future", with_body(R"("nbf":1800000000)", R"("nbf":1800000010)"), not_yet_valid},
      {"exp missing", with_body(R"("exp":1800000300,)", ""), bad_claims},
      {"exp as a text", with_body("1800000300", R"("1800000300")"), bad_claims},
      {"exp null", with_body("1800000300", "null"), bad_claims},
      {"exp true", with_body("1800000300", "true"), bad_claims},
      {"exp as an array", with_body("1800000300", "[1800000300]"), bad_claims},
      {"exp negative", with_body("1800000300", "-1"), bad_claims},
      {"exp of almost the lowest number", with_body("1800000300", "-9223372036854775808"), bad_claims},
      {"exp at the end of 64 bits", with_body("1800000300", "9223372036854775807"), bad_claims},
      {"exp beyond 64 bits", with_body("1800000300", "18446744073709551616"), malformed},
      {"exp 1e300", with_body("1800000300", "1e300"), bad_claims},
      {"exp 1e999", with_body("1800000300", "1e999"), malformed},
      {"exp NaN", with_body("1800000300", "NaN"), malformed},
      {"exp Infinity", with_body("1800000300", "Infinity"), malformed},
      {"exp in hexadecimal", with_body("1800000300", "0x6b49d200"), malformed},
      {"exp with a leading zero", with_body("1800000300", "01800000300"), malformed},
      {"exp in milliseconds", with_body("1800000300", "1800000300000"), bad_claims},
      {"exp of half a second ago in fractions", with_body("1800000300", "1799999994.5"), bad_claims},
      {"exp minus zero", with_body("1800000300", "-0.0"), bad_claims},
      {"a life of a day", with_body("1800000300", "1800086400"), bad_claims},
      {"a life of no time", with_body("1800000300", "1800000000"), bad_claims},
      {"iat missing", with_body(R"("iat":1800000000,)", ""), bad_claims},
      {"iat as a text", with_body(R"("iat":1800000000)", R"("iat":"1800000000")"), bad_claims},
      {"iat 0, so that the life is half a century", with_body(R"("iat":1800000000)", R"("iat":0)"), bad_claims},
      {"nbf missing", with_body(R"("nbf":1800000000,)", ""), bad_claims},
      {"nbf as a text", with_body(R"("nbf":1800000000)", R"("nbf":"0")"), bad_claims},
      {"nbf negative", with_body(R"("nbf":1800000000)", R"("nbf":-1)"), bad_claims},
  };
}

}  // namespace

TEST_CASE("tokens that are forged, confused or malformed are refused, each for its reason") {
  token_keys keys;
  REQUIRE(keys.use(base::as_bytes(secret), now));
  const revocations nothing;
  REQUIRE(keys.verify(good, now, nothing));  // what the rows change is good to begin with
  const auto all = rows();
  CHECK(all.size() >= 60);
  for (const auto& [attack, token, refused_as] : all) {
    CAPTURE(attack);
    const auto r = keys.verify(token, now, nothing);
    CHECK_FALSE(r);
    if (!r) CHECK_MESSAGE(r.error().code == refused_as, r.error().message());
  }
}

TEST_CASE("what the specification allows is not mistaken for an attack") {  // req: 7519-4-b 7519-4.1.3-a 7519-4.1.6-a
  token_keys keys;
  REQUIRE(keys.use(base::as_bytes(secret), now));
  const revocations nothing;
  for (const auto& token :
       {more_body(R"("unknown":{"x":[1]})"), with_body(R"("aud":"registryd")", R"("aud":["hub","registryd"])"),
        with_body("1800000300", "1800000299.5"), with_body("1800000300", "1.8000003e9")}) {
    const auto r = keys.verify(token, now, nothing);
    CHECK_MESSAGE(r, r.error().message());
  }
}
