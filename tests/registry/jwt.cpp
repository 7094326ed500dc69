#include "registry/jwt.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "registry/revocations.hpp"
#include "registry/stored.hpp"
#include "saved.hpp"

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

const base::bytes first = base::to_bytes("0123456789abcdef0123456789abcdef");
const base::bytes second = base::to_bytes("fedcba9876543210fedcba9876543210");
constexpr base::wall_time now{std::chrono::seconds(1'800'000'000)};
constexpr std::array<std::uint8_t, 16> octets{1, 2, 3};
const identity alice{"alice", role::agent};
const revocations nothing;

token_keys with(const base::bytes& secret) {
  token_keys k;
  REQUIRE(k.use(secret, now));
  return k;
}

base::json part(std::string_view token, int n) {
  while (n-- > 0) token.remove_prefix(token.find('.') + 1);
  return *base::json::parse(base::as_text(*base::base64url_decode(token.substr(0, token.find('.')))));
}

}  // namespace

TEST_CASE("a token says who, in which role, from whom, for whom, and for how long") {  // req: 7519-5.1-a 8725-3.11-a
  const auto k = with(first);
  const auto t = k.issue(alice, now, octets);
  REQUIRE(t);
  CHECK(part(t->token, 0).dump() == R"({"typ":"JWT","alg":"HS256","kid":")" + token_keys::kid_of(first) + "\"}");
  CHECK(
      part(t->token, 1).dump() ==
      R"({"sub":"alice","role":"agent","iat":1800000000,"nbf":1800000000,"exp":1800000300,"iss":"registryd","aud":"registryd","jti":"01020300000000000000000000000000"})");
  const auto c = k.verify(t->token, now, nothing);
  REQUIRE(c);
  CHECK(c->sub == "alice");
  CHECK(c->role == role::agent);
  CHECK(c->jti == t->claims.jti);
}

TEST_CASE("the longest names still fit into a token") {
  const auto k = with(first);
  const auto t = k.issue({std::string(128, 'x'), role::observer}, now, octets);
  REQUIRE(t);
  CHECK(t->token.size() < longest_token);
  CHECK(k.verify(t->token, now, nothing)->sub == std::string(128, 'x'));
}

TEST_CASE("a token ends with its lifetime, and a small step of the clock is forgiven") {  // req: 7519-4.1.4-a 7519-4.1.4-b
  const auto k = with(first);
  const auto t = k.issue(alice, now, octets)->token;
  CHECK(k.verify(t, now + 300s, nothing));
  CHECK(k.verify(t, now + 304s, nothing));
  CHECK(k.verify(t, now + 305s, nothing).error().code == jwt_errc::expired);
  CHECK(k.verify(t, now - 5s, nothing));
  CHECK(k.verify(t, now - 6s, nothing).error().code == jwt_errc::not_yet_valid);
}

TEST_CASE("any changed character of a token breaks it") {  // req: 8725-3.3-a
  const auto k = with(first);
  const auto token = k.issue(alice, now, octets)->token;
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(k.verify(changed, now, nothing));
    CHECK_FALSE(k.verify(token.substr(0, i), now, nothing));
  }
}

TEST_CASE("a rotated secret signs no more, and verifies until what it signed has run out") {
  auto k = with(first);
  const auto old = k.issue(alice, now, octets)->token;
  REQUIRE(k.use(second, now + 10s));
  const auto fresh = k.issue(alice, now + 10s, octets)->token;
  CHECK(part(fresh, 0).text("kid") == token_keys::kid_of(second));
  CHECK(k.verify(old, now + 20s, nothing));
  CHECK(k.verify(fresh, now + 20s, nothing));
  CHECK(k.verify(old, now + 304s, nothing));
  CHECK(k.sweep(now + 314s).empty());
  const auto gone = k.sweep(now + 315s);
  REQUIRE(gone.size() == 1);
  CHECK_FALSE(gone[0].value);
  CHECK(k.verify(old, now + 20s, nothing).error().code == jwt_errc::unknown_key);
}

TEST_CASE("a retired secret verifies nothing even when nobody has swept") {
  auto k = with(first);
  const auto old = k.issue(alice, now + 1000s, octets)->token;
  REQUIRE(k.use(second, now));
  CHECK(k.verify(old, now + 1000s, nothing).error().code == jwt_errc::unknown_key);
}

TEST_CASE("after a leak the earlier secrets are void at once") {
  auto k = with(first);
  const auto old = k.issue(alice, now, octets)->token;
  REQUIRE(k.use(second, now));
  CHECK(k.forget_previous().size() == 1);
  CHECK(k.verify(old, now, nothing).error().code == jwt_errc::unknown_key);
  CHECK(k.issue(alice, now, octets));
}

TEST_CASE("an earlier secret can come back") {
  auto k = with(first);
  const auto old = k.issue(alice, now, octets)->token;
  REQUIRE(k.use(second, now));
  const auto back = k.use(first, now + 1s);
  REQUIRE(back);
  CHECK(back->size() == 2);
  CHECK(k.verify(old, now + 2s, nothing));
  CHECK(k.use(first, now + 2s)->empty());
}

TEST_CASE("rotation falls due after its period, and is refused when it runs away") {
  auto k = with(first);
  CHECK(token_keys().rotation_due(now));
  CHECK_FALSE(k.rotation_due(now + token_keys::rotation_period - 1s));
  CHECK(k.rotation_due(now + token_keys::rotation_period));
  base::bytes each(32);
  for (std::size_t i = 0; i < token_keys::most_previous; ++i) {
    each[0] = static_cast<std::uint8_t>(i);
    REQUIRE(k.use(each, now));
  }
  each[0] = 99;
  CHECK(k.use(each, now).error().code == jwt_errc::too_many_secrets);
  CHECK(k.use(each, now + 305s));
}

TEST_CASE("the secrets outlive the registry, and so do tokens") {
  saved store;
  std::string old, fresh;
  {
    token_keys k;
    store.commit(*k.use(first, now));
    old = k.issue(alice, now, octets)->token;
    store.commit(*k.use(second, now + 1s));
    fresh = k.issue(alice, now + 1s, octets)->token;
  }
  token_keys k;
  REQUIRE(k.load(store.table(token_keys::table)));
  CHECK(k.use(second, now + 2s)->empty());
  CHECK(k.verify(old, now + 2s, nothing));
  CHECK(k.verify(fresh, now + 2s, nothing));
}

TEST_CASE("a damaged secret stops the start") {
  saved store;
  token_keys k;
  store.commit(*k.use(first, now));
  const auto good = store.table(token_keys::table)[0];
  const auto other = token_keys::kid_of(second);
  for (const auto& bad : std::vector<std::vector<store::record>>{
           {{other, good.value}},
           {{good.name, "{}"}},
           {{good.name, R"({"secret":"00","since":1})"}},
           {{good.name, good.value}, {other, R"({"secret":")" + std::string(64, '0') + R"(","since":1})"}},
       }) {
    CHECK(k.load(bad).error().code == stored_errc::damaged);
    CHECK(k.issue(alice, now, octets));
  }
}

TEST_CASE("a short secret is refused, and without one nothing is signed") {  // req: 8725-3.5-a
  token_keys k;
  CHECK(k.use(base::to_bytes("dev-secret-change-me"), now).error().code == jwt_errc::short_secret);
  CHECK(k.use({}, now).error().code == jwt_errc::short_secret);
  CHECK(k.issue(alice, now, octets).error().code == jwt_errc::no_secret);
}
