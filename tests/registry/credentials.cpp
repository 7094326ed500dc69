#include "registry/credentials.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::registry;

TEST_CASE("key files are read with and without the wrapper") {
  for (const char* text : {R"({"keys":{"ak_alice_1":{"peer_id":"alice","role":"agent"}}})",
                           R"({"ak_alice_1":{"peer_id":"alice","role":"agent"}})"}) {
    const auto keys = api_keys::parse(text);
    REQUIRE(keys);
    REQUIRE(keys->find("ak_alice_1") != nullptr);
    CHECK(keys->find("ak_alice_1")->peer_id == "alice");
    CHECK(keys->find("ak_alice_2") == nullptr);
    CHECK(keys->names_peer("alice"));
  }
}

TEST_CASE("a key file with anything wrong in it is refused whole") {
  for (const char* text :
       {"", "[]", "{}", "7", R"({"keys":[]})", R"({"keys":{}})", R"({"keys":{"ak_alice_1":{"role":"agent"}}})",
        R"({"keys":{"ak_alice_1":{"peer_id":"","role":"agent"}}})",
        R"({"keys":{"ak_alice_1":{"peer_id":"a b","role":"agent"}}})", R"({"keys":{"ak_alice_1":{"peer_id":"alice"}}})",
        R"({"keys":{"short":{"peer_id":"a","role":"agent"}}})", R"({"keys":{"ak_alice_1":"alice"}})",
        R"({"keys":{"ak_alice_1":{"peer_id":"a","role":"agent"},"ak_alice_1":{"peer_id":"b","role":"agent"}}})"}) {
    CAPTURE(text);
    CHECK_FALSE(api_keys::parse(text));
  }
}

TEST_CASE("a TURN credential is the HMAC-SHA1 of its username") {  // req: turnrest-2.2-b turnrest-2.2-c
  const auto c = make_turn_credential("secret", "mesh", base::wall_time(std::chrono::seconds(1'700'000'000)));
  CHECK(c.username == "1700000000:mesh");
  CHECK(c.credential == "vhdLisSDyH7rG+fKLVUtOKJbd/E=");
}
