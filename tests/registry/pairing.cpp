#include "registry/pairing.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"
#include "crypto/digest.hpp"

using namespace strata;
using namespace strata::registry;

namespace {

const base::wall_time start{std::chrono::seconds(1'700'000'000)};

// Octets that differ from draw to draw.
struct dice {
  std::uint8_t next = 1;
  crypto::random_source source() {
    return [this](base::byte_span out) {
      for (auto& o : out) o = next = static_cast<std::uint8_t>(next * 29 + 7);
    };
  }
};

struct desk {
  dice chance;
  pairing p;
  devices d;
  revocations r;
  std::string code() { return p.generate("alice", start, chance.source())->code; }
  static redemption show(std::string code, std::optional<std::string_view> secret = "a secret") {
    redemption wish{std::move(code), "printer", {}};
    if (secret) wish.claim = digest_of(*secret);
    return wish;
  }
  pairing::outcome redeemed() { return *p.redeem(show(code()), "192.0.2.1", start, chance.source()); }
};

std::vector<store::record> as_records(const store::changes& changes, std::string_view table) {
  std::map<std::string, std::string> kept;
  for (const auto& c : changes) {
    if (c.table != table) continue;
    if (c.value) kept[c.name] = *c.value;
    else kept.erase(c.name);
  }
  std::vector<store::record> out;
  for (auto& [name, value] : kept) out.push_back({name, value});
  return out;
}

}  // namespace

TEST_CASE("a code leads to a token: once, for who redeemed it, after the approval") {
  desk k;
  const auto entry = k.redeemed().entry;
  CHECK(entry.status == pairing_status::pending_approval);
  CHECK(entry.issuer == "alice");

  auto early = k.p.claim(entry.id, "a secret", k.d, start, k.chance.source());
  REQUIRE(early);
  CHECK_FALSE(early->device_token);
  CHECK_FALSE(k.p.approve(entry.id, "root", k.d, start, k.chance.source())->device_token);

  CHECK(k.p.claim(entry.id, "another secret", k.d, start, k.chance.source()).error() == pairing_errc::not_found);
  CHECK(k.p.claim("nobody", "a secret", k.d, start, k.chance.source()).error() == pairing_errc::not_found);
  const auto released = k.p.claim(entry.id, "a secret", k.d, start, k.chance.source());
  REQUIRE(released->device_token);
  REQUIRE(k.d.find(*released->device_token) != nullptr);
  CHECK(k.d.find(*released->device_token)->peer_id == entry.peer_id);
  CHECK_FALSE(k.p.claim(entry.id, "a secret", k.d, start, k.chance.source())->device_token);
  for (const auto& c : released->changes) CHECK(c.value.value_or("").find(*released->device_token) == std::string::npos);
}

TEST_CASE("a code is good once and for five minutes") {
  desk k;
  const auto code = k.code();
  CHECK(k.p.redeem(desk::show("WRONGC0D"), "192.0.2.1", start, k.chance.source()).error() == pairing_errc::unknown_code);
  CHECK(k.p.redeem(desk::show(code), "192.0.2.1", start + pairing::code_lifetime, k.chance.source()).error() ==
        pairing_errc::unknown_code);
  CHECK(k.p.redeem(desk::show(code), "192.0.2.1", start, k.chance.source()));
  CHECK(k.p.redeem(desk::show(code), "192.0.2.1", start, k.chance.source()).error() == pairing_errc::unknown_code);
}

TEST_CASE("decisions are made once, and only where there is something to decide") {
  desk k;
  const auto one = k.redeemed().entry, two = k.redeemed().entry;
  CHECK(k.p.revoke(one.id, "root", k.d, k.r, start).error() == pairing_errc::not_approved);
  CHECK(k.p.reject(one.id, "root", start));
  CHECK(k.p.approve(one.id, "root", k.d, start, k.chance.source()).error() == pairing_errc::not_pending);
  CHECK(k.p.approve(two.id, "root", k.d, start, k.chance.source()));
  CHECK(k.p.reject(two.id, "root", start).error() == pairing_errc::not_pending);
  CHECK(k.p.approve("nobody", "root", k.d, start, k.chance.source()).error() == pairing_errc::not_pending);
}

TEST_CASE("who is revoked has no token any more, and none that it was given before is good") {
  desk k;
  const auto e = k.redeemed().entry;
  REQUIRE(k.p.approve(e.id, "root", k.d, start, k.chance.source()));
  const auto token = *k.p.claim(e.id, "a secret", k.d, start, k.chance.source())->device_token;
  CHECK(k.d.names_peer(e.peer_id));
  REQUIRE(k.p.revoke(e.id, "root", k.d, k.r, start));
  CHECK(k.d.find(token) == nullptr);
  CHECK_FALSE(k.d.names_peer(e.peer_id));
  CHECK(k.r.size() == 1);
  CHECK_FALSE(k.p.claim(e.id, "a secret", k.d, start, k.chance.source())->device_token);
}

TEST_CASE("what nobody decides within a day is over") {
  desk k;
  const auto e = k.redeemed().entry;
  const auto late = start + pairing::pending_lifetime;
  CHECK(k.p.approve(e.id, "root", k.d, late, k.chance.source()).error() == pairing_errc::not_pending);
  CHECK(k.p.list(late, pairing_status::pending_approval).empty());
  (void)k.p.sweep(late);
  CHECK(k.p.find(e.id)->status == pairing_status::expired);
  (void)k.p.sweep(late + pairing::kept_after_end);
  CHECK(k.p.find(e.id) == nullptr);
}

TEST_CASE("codes and pairings come back from the store as they were") {
  desk k;
  store::changes all;
  const auto keep = [&](const store::changes& c) { all.insert(all.end(), c.begin(), c.end()); };
  auto first = *k.p.generate("alice", start, k.chance.source());
  keep(first.changes);
  auto second = *k.p.generate("alice", start, k.chance.source());
  keep(second.changes);
  const auto e = *k.p.redeem(desk::show(first.code), "192.0.2.1", start, k.chance.source());
  keep(e.changes);
  keep(k.p.approve(e.entry.id, "root", k.d, start, k.chance.source())->changes);
  for (const auto& c : all) CHECK(c.name.find(second.code) == std::string::npos);

  pairing again;
  devices none;
  REQUIRE(again.load(as_records(all, pairing::codes_table), as_records(all, pairing::entries_table)));
  CHECK(again.live_codes(start) == 1);
  CHECK(again.redeem(desk::show(second.code), "192.0.2.1", start, k.chance.source()));
  CHECK(again.claim(e.entry.id, "a secret", none, start, k.chance.source())->device_token);
  CHECK_FALSE(again.load(as_records(all, pairing::codes_table), std::vector<store::record>{{"x", "{}"}}));
}

TEST_CASE("there is an end to codes and to those who wait") {
  desk k;
  for (std::size_t n = 0; n < pairing::most_codes; ++n) REQUIRE(k.p.generate("alice", start, k.chance.source()));
  CHECK(k.p.generate("alice", start, k.chance.source()).error() == pairing_errc::too_many_codes);
  CHECK(k.p.generate("alice", start + pairing::code_lifetime, k.chance.source()));
}

TEST_CASE("what a redeemer may say, by the table") {
  const auto ok = std::string(64, 'a');
  const struct {
    std::string body;
    code_kind kind;
    std::optional<pairing_errc> wrong;
  } table[] = {
      {R"({"code":"ABCD2345","agent_name":"x","claim_hash":")" + ok + "\"}", code_kind::eight_characters, {}},
      {R"({"code":"abcd-2345","agent_name":" x ","claim_hash":")" + ok + "\"}", code_kind::eight_characters, {}},
      {R"({"code":"ABCD2345","agent_name":"x"})", code_kind::eight_characters, pairing_errc::bad_claim},
      {R"({"code":"ABCD2345","agent_name":"x","claim_hash":5})", code_kind::eight_characters, pairing_errc::bad_claim},
      {R"({"code":"ABC","agent_name":"x"})", code_kind::eight_characters, pairing_errc::bad_code},
      {R"({"code":"123456","agent_name":"x"})", code_kind::six_digits, {}},
      {R"({"code":"12345","agent_name":"x"})", code_kind::six_digits, pairing_errc::bad_code},
      {R"({"code":"12345a","agent_name":"x"})", code_kind::six_digits, pairing_errc::bad_code},
      {R"({"code":"123456","agent_name":"   "})", code_kind::six_digits, pairing_errc::bad_name},
      {R"({"code":"123456","agent_name":"a\u202eb"})", code_kind::six_digits, pairing_errc::bad_name},
      {R"({"code":"123456","agent_name":"a\nb"})", code_kind::six_digits, pairing_errc::bad_name},
      {R"({"code":123456,"agent_name":"x"})", code_kind::six_digits, pairing_errc::bad_body},
      {R"({"agent_name":"x"})", code_kind::six_digits, pairing_errc::bad_body},
      {R"([])", code_kind::six_digits, pairing_errc::bad_body},
  };
  for (const auto& t : table) {
    CAPTURE(t.body);
    const auto read = read_redemption(*base::json::parse(t.body), t.kind);
    CHECK(read.has_value() == !t.wrong);
    if (!read && t.wrong) CHECK(read.error() == *t.wrong);
  }
}
