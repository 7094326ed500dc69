// What is known about a path from requests and their answers.
#include <doctest/doctest.h>

#include "ice/path_quality.hpp"

namespace strata::ice {
namespace {

using namespace std::chrono_literals;

base::duration rtt_after(std::initializer_list<base::duration> samples) {
  path_quality q;
  for (const auto s : samples) q.answered(q.asked(base::instant(1h)), s);
  return q.rtt().value_or(base::duration(-1));
}

// '.' an answer, 'x' none
double loss_after(std::string_view story) {
  path_quality q;
  auto now = base::instant(1h);
  for (const char c : story) {
    const auto n = q.asked(now);
    if (c == '.') q.answered(n, 20ms);
    now += 5s;
  }
  return q.loss(now);
}

}  // namespace

TEST_CASE("the round trip follows what is measured, slowly, as RFC 6298 has it") {
  CHECK(rtt_after({}) == base::duration(-1));
  CHECK(rtt_after({80ms}) == 80ms);
  CHECK(rtt_after({80ms, 160ms}) == 90ms);
  CHECK(rtt_after({80ms, 80ms, 80ms}) == 80ms);
  CHECK(rtt_after({80ms, 0ms}) == 70ms);
}

TEST_CASE("the variation follows the deviation") {
  path_quality q;
  q.answered(q.asked({}), 80ms);
  CHECK(q.variation() == 40ms);
  q.answered(q.asked({}), 160ms);
  CHECK(q.variation() == 50ms);
  CHECK(q.patience() == 1s);
  for (int i = 0; i < 50; ++i) q.answered(q.asked({}), i % 2 == 0 ? 0ms : 2s);
  CHECK(q.patience() > 1s);
}

TEST_CASE("loss is the share of unanswered requests among the last sixteen") {
  CHECK(loss_after("") == 0.0);
  CHECK(loss_after("....") == 0.0);
  CHECK(loss_after("x") == 1.0);
  CHECK(loss_after("..x.") == 0.25);
  CHECK(loss_after("xxxx................") == 0.0);
  CHECK(loss_after("................xxxx") == 0.25);
}

TEST_CASE("a request that is under way is neither lost nor answered") {
  path_quality q;
  const auto now = base::instant(1h);
  q.answered(q.asked(now), 20ms);
  const auto n = q.asked(now);
  CHECK(q.loss(now + 500ms) == 0.0);
  CHECK(q.loss(now + 2s) == 0.5);
  q.answered(n, 3s);  // late, and not lost
  CHECK(q.loss(now + 5s) == 0.0);
}

TEST_CASE("a repeated request measures nothing, and counts what was lost before") {
  path_quality q;
  q.answered_after(3, base::instant(1h));
  CHECK_FALSE(q.rtt());
  CHECK(q.loss(base::instant(1h)) == doctest::Approx(2.0 / 3));
  q.answered_after(1000, base::instant(1h));  // bounded work, whatever is said
  CHECK(q.loss(base::instant(1h)) < 1.0);
}

TEST_CASE("an answer to a request that is forgotten marks no other") {
  path_quality q;
  const auto now = base::instant(1h);
  const auto old = q.asked(now);
  for (std::size_t i = 0; i < path_quality::window; ++i) (void)q.asked(now);
  q.answered(old, 30s);
  CHECK(q.loss(now + 1h) == 1.0);
  q.answered(4711, 20ms);  // never asked
  CHECK(q.loss(now + 1h) == 1.0);
}

}  // namespace strata::ice
