#include <doctest/doctest.h>

#include "mesh/record_name.hpp"

using namespace strata;
using mesh::from_name;
using mesh::to_name;

TEST_CASE("the names of records are read as they are written, and sort by stream and sequence") {
  CHECK(to_name("bob", {'e'}) == "bob e");
  CHECK(to_name("bob", {'s', 10}) == "bob s 0000000a");
  CHECK(to_name("bob", {'m', 10, 255}) == "bob m 0000000a 00000000000000ff");
  CHECK(to_name("bob", {'m', 2, 255}) < to_name("bob", {'m', 10, 1}));
  const auto n = from_name("bob", "bob m 0000000a 00000000000000ff");
  REQUIRE(n);
  CHECK(n->kind == 'm');
  CHECK(n->stream == 10);
  CHECK(n->sequence == 255);
  CHECK(from_name("bob", "bob s ffffffff")->stream == 0xffffffff);
  CHECK(from_name("bob", "bob e")->kind == 'e');
}

TEST_CASE("names that no outbox or inbox writes are not read") {
  for (const char* name : {"",
                           "bob",
                           "bob ",
                           "bob  e",
                           "bob e ",
                           "bob x",
                           "bob s",
                           "bob s ",
                           "bob s 1",
                           "bob s 0000000A",
                           "bob s 000000001",
                           "bob s 0000000g",
                           "bob s -0000001",
                           "bob m 0000000a",
                           "bob m 0000000a 1",
                           "bob m 0000000a 00000000000000fg",
                           "bob m 0000000a_00000000000000ff",
                           "bob m 0000000a 00000000000000ff ",
                           "bobby e",
                           "bo e",
                           "alice e"}) {
    CAPTURE(name);
    CHECK_FALSE(from_name("bob", name));
  }
}

TEST_CASE("a peer whose id begins like another's keeps its own records") {
  CHECK(mesh::belongs_to("bob", "bob e"));
  CHECK_FALSE(mesh::belongs_to("bob", "bobby e"));
  CHECK_FALSE(mesh::belongs_to("bobby", "bob e"));
  const auto peers = mesh::peers_of({{"bobby e", ""}, {"bob e", ""}, {"bob s 00000001", ""}, {"alice e", ""}});
  CHECK(peers == std::vector<std::string>{"alice", "bob", "bobby"});
}
