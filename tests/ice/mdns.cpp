#include "ice/mdns.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"

using namespace strata;
using namespace strata::ice;

TEST_CASE("a question asks for both families and, if wanted, for an answer of its own") {
  const auto wire = mdns::encode(mdns::ask("Ab.local", true));
  CHECK(base::to_hex(wire) ==
        "000000000002000000000000"
        "026162056c6f63616c0000018001"
        "026162056c6f63616c00001c8001");
  const auto back = mdns::decode(wire);
  REQUIRE(back);
  CHECK_FALSE(back->response);
  REQUIRE(back->questions.size() == 2);
  CHECK(back->questions[0] == mdns::question{"ab.local", mdns::record_type::a, true});
  CHECK(mdns::decode(mdns::encode(mdns::ask("ab.local", false)))->questions[1] ==
        mdns::question{"ab.local", mdns::record_type::aaaa, false});
}

TEST_CASE("an answer with compressed names, other records and other sections is read") {
  // header, PTR question; A with a pointer to the name in it, TXT, AAAA in the additional section
  const auto wire = base::from_hex(
      "000084000001000100000002"
      "026162056c6f63616c00000c0001"
      "c00c000180010000007800 04c0000201"
      "c00c001080010000007800 020161"
      "c00c001c80010000007800 1020010db8000000000000000000000001");
  REQUIRE(wire);
  const auto m = mdns::decode(*wire);
  REQUIRE(m);
  CHECK(m->response);
  CHECK(m->questions.empty());
  CHECK(m->answers == std::vector<mdns::answer>{{"ab.local", *base::ip_address::parse("192.0.2.1"), 120},
                                                {"ab.local", *base::ip_address::parse("2001:db8::1"), 120}});
  CHECK(*mdns::decode(mdns::encode(*m)) == *m);
}

TEST_CASE("hostile answers are refused, not followed") {
  const auto refused = [](std::string_view text) {
    INFO(text);
    const auto wire = base::from_hex(text);
    REQUIRE(wire);
    CHECK_FALSE(mdns::decode(*wire));
  };
  refused("");
  refused("0000840000000001000000");                                           // no whole header
  refused("000084000000000100000000");                                         // a record is missing
  refused("000084000000000100000000c00c000180010000007800 04c0000201");        // a name that is itself
  refused("000084000000000100000000c010000180010000007800 04c0000201");        // a name that lies ahead
  refused("0000840000000001000000000161c00c000180010000007800 04c0000201");    // a loop of two
  refused("000084000000000100000000000001800100000078ff04c0000201");           // data past the end
  refused("00008400000000010000000040610000018001000000780004c0000201");       // a reserved label type
  refused("00008400000000010000000003612e6200000180010000007800 04c0000201");  // a dot inside a label
  refused("000084000000ffff00000000");                                         // more records than fit
  refused("000084030000000000000000");                                         // an error
  refused("000028000000000000000000");                                         // an update
  std::string longest = "000084000000000100000000";
  for (int i = 0; i < 5; ++i) longest += "3f" + std::string(126, '6');
  refused(longest + "00000180010000007800 04c0000201");  // 320 characters
  CHECK_FALSE(mdns::decode(base::bytes(9001)));
}

TEST_CASE("records of other sizes and classes are passed over") {
  const auto wire = base::from_hex(
      "000084000000000300000000"
      "0161000001800100000078 0003c00002"
      "0161000001800300000078 0004c0000201"
      "000001 8001 00000078 0004c0000201");
  REQUIRE(wire);
  const auto m = mdns::decode(*wire);
  REQUIRE(m);
  CHECK(m->answers.empty());
}

TEST_CASE("names that DNS cannot carry are not sent") {
  for (const auto& name :
       {std::string(), std::string(64, 'a'), std::string("a..local"), std::string(".local"), std::string(254, 'a')}) {
    INFO(name);
    CHECK(mdns::encode(mdns::ask(name, false)).size() == 12);
  }
  CHECK(mdns::group(base::ip_family::v4).to_string() == "224.0.0.251");
  CHECK(mdns::group(base::ip_family::v6).to_string() == "ff02::fb");
}
