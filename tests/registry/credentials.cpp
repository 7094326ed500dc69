#include "registry/credentials.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::registry;

TEST_CASE("a role is one of three words and nothing like them") {
  CHECK(role_from_name("admin") == role::admin);
  CHECK(role_from_name("agent") == role::agent);
  CHECK(role_from_name("observer") == role::observer);
  using namespace std::string_view_literals;
  for (const auto no : {""sv, "Admin"sv, "admin "sv, "admin\0"sv, "root"sv, "agent,admin"sv, "*"sv})
    CHECK_MESSAGE(!role_from_name(no), no);
}

TEST_CASE("a TURN credential is the HMAC-SHA1 of its username") {  // req: turnrest-2.2-b turnrest-2.2-c
  const auto c = make_turn_credential("secret", "mesh", base::wall_time(std::chrono::seconds(1'700'000'000)));
  CHECK(c.username == "1700000000:mesh");
  CHECK(c.credential == "vhdLisSDyH7rG+fKLVUtOKJbd/E=");
}
