#include "registry/keys.hpp"

#include <doctest/doctest.h>

#include "registry/stored.hpp"
#include "saved.hpp"

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

constexpr base::wall_time now{std::chrono::seconds(1'800'000'000)};

keys again(const saved& store) {
  keys k;
  REQUIRE(k.load(store.table(keys::table)));
  return k;
}

}  // namespace

TEST_CASE("key files are read with and without the wrapper") {
  for (const char* text :
       {R"({"keys":{"ak_alice_1":{"peer_id":"alice","role":"admin"}}})", R"({"ak_alice_1":{"peer_id":"alice","role":"admin"}})",
        R"({"comment":"mine","keys":{"ak_alice_1":{"peer_id":"alice","role":"admin","note":1}}})"}) {
    CAPTURE(text);
    keys k;
    const auto done = k.import_file(text, now);
    REQUIRE(done);
    CHECK(done->added == 1);
    REQUIRE(k.find("ak_alice_1") != nullptr);
    CHECK(*k.find("ak_alice_1") == identity{"alice", role::admin});
    CHECK(k.find("ak_alice_2") == nullptr);
    CHECK(k.find("") == nullptr);
    CHECK(k.names_peer("alice"));
  }
}

TEST_CASE("a key file with anything wrong in it is refused whole") {
  const std::pair<std::string, std::error_code> table[] = {
      {"", base::json_errc::syntax},
      {"{", base::json_errc::syntax},
      {"\xff", base::json_errc::not_utf8},
      {"[]", keys_errc::not_an_object},
      {"7", keys_errc::not_an_object},
      {R"({"keys":[]})", keys_errc::not_an_object},
      {"{}", keys_errc::empty},
      {R"({"keys":{}})", keys_errc::empty},
      {R"({"keys":{"ak_alice_1":{"role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"a b","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":7,"role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"registry","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"alice"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"alice","role":"root"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"alice","role":"agent","role":"admin"}}})", keys_errc::bad_entry},
      {R"({"keys":{"short":{"peer_id":"a","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak alice 1":{"peer_id":"a","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1\u0000":{"peer_id":"a","role":"agent"}}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":"alice"}})", keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"a","role":"agent"},"ak_alice_1":{"peer_id":"b","role":"agent"}}})",
       keys_errc::bad_entry},
      {R"({"keys":{"ak_alice_1":{"peer_id":"a","role":"agent"}},"ak_bob_22":{"peer_id":"b","role":"agent"}})",
       keys_errc::ambiguous},
      {R"({"keys":{"ak_alice_1":{"peer_id":"a","role":"agent"}},"keys":{"ak_bob_22":{"peer_id":"b","role":"agent"}}})",
       keys_errc::ambiguous},
      {R"({"ak_alice_1":{"peer_id":"a","role":"agent"},"ak_bob_22":{}})", keys_errc::bad_entry},
  };
  for (const auto& [text, code] : table) {
    CAPTURE(text);
    keys k;
    const auto done = k.import_file(text, now);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    CHECK(k.size() == 0);
  }
}

TEST_CASE("keys outlive the registry, and the store never sees one in clear") {
  saved store;
  const auto key = keys::make_key(std::array<std::uint8_t, 16>{0xab, 1, 2});
  CHECK(key == "ak_ab010200000000000000000000000000");
  {
    keys k;
    const auto added = k.add(key, {"alice", role::agent}, now);
    REQUIRE(added);
    store.commit(added->changes);
    CHECK(added->key.id.size() == 16);
  }
  CHECK_FALSE(store.holds(key));
  CHECK_FALSE(store.holds(key.substr(3)));
  const auto k = again(store);
  REQUIRE(k.find(key) != nullptr);
  CHECK(k.find(key)->peer_id == "alice");
  REQUIRE(k.list().size() == 1);
  CHECK(k.list()[0].created == now);
}

TEST_CASE("a revoked key lets nobody in, not after a restart and not by the file that once brought it") {
  constexpr const char* file =
      R"({"ak_alice_1":{"peer_id":"alice","role":"agent"},"ak_bob_22":{"peer_id":"bob","role":"agent"}})";
  saved store;
  keys k;
  store.commit(k.import_file(file, now)->changes);
  const auto id = k.list()[0].who.peer_id == "alice" ? k.list()[0].id : k.list()[1].id;
  const auto gone = k.revoke(id, now + 1s);
  REQUIRE(gone);
  store.commit(gone->changes);
  CHECK(gone->peers_without_key == std::vector<std::string>{"alice"});
  CHECK(k.find("ak_alice_1") == nullptr);
  CHECK_FALSE(k.names_peer("alice"));
  CHECK(k.find("ak_bob_22") != nullptr);
  auto later = again(store);
  CHECK(later.find("ak_alice_1") == nullptr);
  const auto repeated = later.import_file(file, now + 2s);
  REQUIRE(repeated);
  CHECK(repeated->added == 0);
  CHECK(repeated->known == 1);
  CHECK(repeated->still_revoked == std::vector{id});
  CHECK(repeated->changes.empty());
  CHECK(later.find("ak_alice_1") == nullptr);
  CHECK(later.add("ak_alice_1", {"alice", role::agent}, now).error().code == keys_errc::revoked);
  CHECK(later.revoke(id, now).error().code == keys_errc::not_found);
}

TEST_CASE("a peer is revoked with all of its keys, and without its last one only") {
  keys k;
  REQUIRE(k.add("ak_alice_1", {"alice", role::agent}, now));
  REQUIRE(k.add("ak_alice_2", {"alice", role::agent}, now));
  const auto one = k.revoke(k.list()[0].id, now);
  REQUIRE(one);
  CHECK(one->peers_without_key.empty());
  CHECK(k.names_peer("alice"));
  const auto rest = k.revoke("alice", now);
  REQUIRE(rest);
  CHECK(rest->keys.size() == 1);
  CHECK(rest->peers_without_key == std::vector<std::string>{"alice"});
  CHECK(k.revoke("nobody", now).error().code == keys_errc::not_found);
}

TEST_CASE("a key cannot change hands") {
  keys k;
  REQUIRE(k.add("ak_alice_1", {"alice", role::agent}, now));
  CHECK(k.add("ak_alice_1", {"mallory", role::agent}, now).error().code == keys_errc::exists);
  const auto done =
      k.import_file(R"({"ak_new_key":{"peer_id":"n","role":"agent"},"ak_alice_1":{"peer_id":"alice","role":"admin"}})", now);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == keys_errc::exists);
  CHECK(k.find("ak_new_key") == nullptr);
  CHECK(k.find("ak_alice_1")->role == role::agent);
}

TEST_CASE("a damaged record stops the start and leaves what was there") {
  saved store;
  keys k;
  store.commit(k.add("ak_alice_1", {"alice", role::agent}, now)->changes);
  const auto good = store.table(keys::table)[0];
  for (const auto& bad : std::vector<store::record>{
           {"", good.value},
           {good.name.substr(1), good.value},
           {std::string(64, 'g'), good.value},
           {good.name, ""},
           {good.name, "[]"},
           {good.name, R"({"role":"agent","created":1})"},
           {good.name, R"({"peer_id":"a","role":"king","created":1})"},
           {good.name, R"({"peer_id":"a","role":"agent","created":-1})"},
           {good.name, R"({"peer_id":"a","role":"agent","created":1,"revoked":"no"})"},
       }) {
    CAPTURE(bad.name);
    CAPTURE(bad.value);
    const auto done = k.load(std::span(&bad, 1));
    REQUIRE_FALSE(done);
    CHECK(done.error().code == stored_errc::damaged);
    CHECK(k.find("ak_alice_1") != nullptr);
  }
}
