#include "base/json.hpp"

#include <doctest/doctest.h>

using namespace strata::base;

TEST_CASE("json round-trips and keeps the order of members") {
  const char* text = R"({"type":"offer","n":-3,"x":1.5,"ok":true,"none":null,"list":["a",{"b":[]}],"text":"\u00e4\n\"\\"})";
  const auto v = json::parse(text);
  REQUIRE(v);
  CHECK(v->dump() ==
        "{\"type\":\"offer\",\"n\":-3,\"x\":1.5,\"ok\":true,\"none\":null,\"list\":[\"a\",{\"b\":[]}],\"text\":"
        "\"\xc3\xa4\\n\\\"\\\\\"}");
  CHECK(json::parse(v->dump()) == v);
}

TEST_CASE("json that is not json is an error value") {
  for (const char* bad : {"",    " ",   "{",       "{]",  "[1,]", "{\"a\":1,}", "nul", "01", "\"\t\"",   "{\"a\" 1}",
                          "1 2", "'a'", "\"\\x\"", "[1}", "\xff", "\"\xc3\"",   "NaN", "-",  "{\"a\":}", "\"\\ud800\""})
    CHECK_FALSE(json::parse(bad));
}

TEST_CASE("json nested too deeply is refused, not recursed into") {
  const std::string deep(1000, '[');
  const auto v = json::parse(deep + std::string(1000, ']'));
  REQUIRE_FALSE(v);
  CHECK(v.error() == make_error_code(json_errc::too_deep));
}

TEST_CASE("of two members with one name the last counts") { CHECK(json::parse(R"({"a":"1","a":"2"})")->text("a") == "2"); }

TEST_CASE("looking for members in something that is no object finds nothing") {
  const json v(json::array{1, 2});
  CHECK(v.find("a") == nullptr);
  CHECK(v.text("a", "x") == "x");
}
