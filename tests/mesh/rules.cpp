#include <doctest/doctest.h>

#include "base/backoff.hpp"
#include "mesh/glare.hpp"
#include "mesh/message.hpp"
#include "mesh/response_filter.hpp"

using namespace strata;
using namespace strata::mesh;
using namespace std::chrono_literals;

TEST_CASE("a message always has all five fields and never a null payload") {
  const auto m = message::from(*base::json::parse(R"({"type":"task_request","request_id":null,"payload":null,"more":1})"));
  REQUIRE(m);
  CHECK(m->to_json().dump() == R"({"type":"task_request","request_id":"","source_agent":"","target_agent":"","payload":{}})");
}

TEST_CASE("objects that are no message say what is wrong") {
  for (auto [text, code] : {std::pair("[]", errc::not_an_object),
                            {"{}", errc::no_type},
                            {R"({"type":""})", errc::no_type},
                            {R"({"type":5})", errc::bad_field},
                            {R"({"type":"a","request_id":7})", errc::bad_field},
                            {R"({"type":"a","source_agent":{}})", errc::bad_field}})
    CHECK(message::from(*base::json::parse(text)).error().code == code);
}

TEST_CASE("a response is admitted once, and only from the peer that was asked") {
  response_filter f(2);
  f.asked("bob", "r1");
  CHECK_FALSE(f.admit("mallory", "r1"));
  CHECK(f.admit("bob", "r1"));
  CHECK_FALSE(f.admit("bob", "r1"));
  CHECK_FALSE(f.admit("bob", ""));
  for (int i = 0; i < 5; ++i) f.asked("bob", "x" + std::to_string(i));
  CHECK(f.open() == 2);
  CHECK_FALSE(f.admit("bob", "x0"));
  CHECK(f.admit("bob", "x4"));
}

TEST_CASE("both sides of a glare come to the same decision") {
  CHECK(settle_glare("a", "b", true) == glare::keep_ours);
  CHECK(settle_glare("b", "a", true) == glare::answer_theirs);
  CHECK(settle_glare("b", "a", false) == glare::keep_ours);
}

TEST_CASE("pauses grow within their bounds and start over after success") {
  base::backoff b(1s, 30s);
  std::uint64_t x = 88172645463325252ull;
  base::duration longest{};
  for (int i = 0; i < 200; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    const auto pause = b.next(x);
    CHECK(pause >= 1s);
    CHECK(pause <= 30s);
    longest = std::max(longest, pause);
  }
  CHECK(longest > 20s);
  b.reset();
  CHECK(b.next(UINT64_MAX) <= 3s);
}
