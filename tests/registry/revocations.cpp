#include "registry/revocations.hpp"

#include <doctest/doctest.h>

#include "registry/stored.hpp"
#include "saved.hpp"

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t t = 1'800'000'000;
constexpr base::wall_time now{std::chrono::seconds(t)};
claims token(std::string sub, std::string jti, std::int64_t iat = t) {
  return {std::move(sub), role::agent, std::move(jti), iat, iat + 300};
}

}  // namespace

TEST_CASE("a revoked token is refused wherever tokens are checked") {
  token_keys keys;
  REQUIRE(keys.use(base::to_bytes("0123456789abcdef0123456789abcdef"), now));
  const auto one = *keys.issue({"alice", role::agent}, now, std::array<std::uint8_t, 16>{1});
  const auto two = *keys.issue({"alice", role::agent}, now, std::array<std::uint8_t, 16>{2});
  revocations r;
  CHECK(r.revoke_token(one.claims, now).size() == 1);
  CHECK(keys.verify(one.token, now, r).error().code == jwt_errc::revoked);
  CHECK(keys.verify(two.token, now, r));
  CHECK(r.revoke_token(one.claims, now).empty());
}

TEST_CASE("a revoked peer loses the tokens it has and may be given new ones") {
  revocations r;
  (void)r.revoke_peer("alice", now);
  CHECK(r.cover(token("alice", "a", t - 1)));
  CHECK(r.cover(token("alice", "b", t)));
  CHECK_FALSE(r.cover(token("alice", "c", t + 1)));
  CHECK_FALSE(r.cover(token("bob", "d", t - 1)));
  (void)r.revoke_peer("alice", now - 100s);
  CHECK(r.cover(token("alice", "b", t)));
}

TEST_CASE("revocations outlive the registry and go when nothing can need them") {
  saved store;
  {
    revocations r;
    store.commit(r.revoke_token(token("alice", "a"), now));
    store.commit(r.revoke_peer("bob", now));
  }
  revocations r;
  REQUIRE(r.load(store.table(revocations::table)));
  CHECK(r.cover(token("alice", "a")));
  CHECK(r.cover(token("bob", "b")));
  store.commit(r.sweep(now + 304s));
  CHECK(r.size() == 2);
  store.commit(r.sweep(now + 305s));
  CHECK(r.size() == 0);
  CHECK(store.table(revocations::table).empty());
}

TEST_CASE("when too many tokens are revoked one by one the peer's others go too, and memory stays bounded") {
  revocations r(2);
  (void)r.revoke_token(token("alice", "a"), now);
  (void)r.revoke_token(token("alice", "b"), now);
  for (int i = 0; i < 100; ++i) (void)r.revoke_token(token("mallory", std::to_string(i)), now);
  CHECK(r.size() == 3);
  CHECK(r.cover(token("mallory", "7")));
  CHECK(r.cover(token("mallory", "another")));
  CHECK_FALSE(r.cover(token("alice", "c")));
}

TEST_CASE("a damaged revocation stops the start") {
  revocations r;
  for (const auto& bad : std::vector<store::record>{{"a", R"({"until":1})"},
                                                    {"jti:a", "{}"},
                                                    {"jti:a", "x"},
                                                    {"peer:a", R"({"until":1})"},
                                                    {"peer:a", R"({"until":-1,"issued_until":1})"}})
    CHECK(r.load(std::span(&bad, 1)).error().code == stored_errc::damaged);
}
