// The rule of renomination, by the table.
#include <doctest/doctest.h>

#include "ice/renomination.hpp"

namespace strata::ice {
namespace {

using namespace std::chrono_literals;

constexpr auto now = base::instant(1h);

path_view path(std::uint32_t id, bool relayed) {
  return {.id = pair_id(id), .priority = 1000 - id, .relayed = relayed, .asked = now - 1s};
}
path_view selected(std::uint32_t id, bool relayed, base::duration rtt = 100ms) {
  auto p = path(id, relayed);
  p.selected = p.valid = true;
  p.answered = now;
  p.rtt = rtt;
  p.samples = 8;
  return p;
}
path_view valid(std::uint32_t id, bool relayed, base::duration rtt = 100ms, base::duration answered_ago = 1s) {
  auto p = selected(id, relayed, rtt);
  p.selected = false;
  p.answered = now - answered_ago;
  return p;
}
path_view failed(std::uint32_t id, bool relayed, base::duration asked_ago) {
  auto p = path(id, relayed);
  p.failed = true;
  p.asked = now - asked_ago;
  return p;
}

std::uint32_t nominates(std::vector<path_view> paths, renomination_input in = {.now = now}) {
  const auto d = decide_renomination(paths, in);
  return d.nominate ? d.nominate->value : 0;
}
std::uint32_t asks(std::vector<path_view> paths, renomination_input in = {.now = now}) {
  const auto d = next_probe(paths, in);
  return d.ask ? d.ask->value : 0;
}

}  // namespace

TEST_CASE("a direct path takes the place of a relay, and never the other way round while it answers") {
  CHECK(nominates({selected(2, true), valid(1, false)}) == 1);
  CHECK(nominates({selected(1, false, 300ms), valid(2, true, 5ms)}) == 0);
  CHECK(nominates({selected(2, true)}) == 0);
  CHECK(nominates({valid(1, false)}) == 0);  // nothing is selected: the first nomination's business
  CHECK(nominates({selected(2, true), failed(1, false, 1s)}) == 0);
  CHECK(nominates({selected(2, true), valid(1, false, 20ms, 11s)}) == 0);                     // silent for two questions
  CHECK(nominates({selected(2, true), valid(1, false)}, {now, base::never, now - 4s}) == 0);  // not in a hurry
  CHECK(nominates({selected(2, true), valid(1, false)}, {now, base::never, now - 5s}) == 1);
}

TEST_CASE("a faster path of the same kind has to be clearly faster, measured well, and lose no more") {
  auto hardly_measured = valid(2, false, 20ms);
  hardly_measured.samples = 3;
  auto lossy = valid(2, false, 20ms);
  lossy.loss = 0.1;
  CHECK(nominates({selected(1, false, 100ms), valid(2, false, 20ms)}) == 2);
  CHECK(nominates({selected(1, false, 100ms), valid(2, false, 67ms)}) == 0);
  CHECK(nominates({selected(1, false, 12ms), valid(2, false, 3ms)}) == 0);
  CHECK(nominates({selected(1, false, 100ms), hardly_measured}) == 0);
  CHECK(nominates({selected(1, false, 100ms), lossy}) == 0);
  CHECK(nominates({selected(1, true, 100ms), valid(2, true, 20ms)}) == 2);
  CHECK(nominates({selected(1, false, 100ms), valid(2, false, 20ms)}, {now, base::never, now - 29s}) == 0);
}

TEST_CASE("an interrupted pair is left for one that has answered since, a direct one before a relay") {
  const renomination_input since_two_seconds{.now = now, .interrupted_since = now - 2s, .nominated_at = now - 3s};
  CHECK(nominates({selected(1, false), valid(2, true, 50ms, 1s)}, since_two_seconds) == 2);
  CHECK(nominates({selected(1, false), valid(2, true, 50ms, 3s)}, since_two_seconds) == 0);  // before, perhaps it is dead, too
  CHECK(nominates({selected(1, false), valid(2, true, 5ms, 1s), valid(3, false, 90ms, 1s)}, since_two_seconds) == 3);
  CHECK(nominates({selected(1, false)}, since_two_seconds) == 0);
}

TEST_CASE("other pairs are asked: valid ones every five seconds, failed ones that would be better every ten") {
  auto due = valid(2, true);
  due.asked = now - 5s;
  CHECK(asks({selected(1, false), due}) == 2);
  CHECK(asks({selected(1, false), valid(2, true)}) == 0);
  CHECK(asks({selected(2, true), failed(1, false, 10s)}) == 1);
  CHECK(asks({selected(2, true), failed(1, false, 9s)}) == 0);
  CHECK(asks({selected(1, false), failed(2, true, 1h)}) == 0);   // no better than what there is
  CHECK(asks({selected(2, false), failed(1, false, 1h)}) == 1);  // a better priority
  CHECK(asks({path(1, false)}) == 0);
  const std::vector later{selected(2, true), failed(1, false, 4s)};
  CHECK(next_probe(later, {.now = now}).look_again == now + 6s);
}

TEST_CASE("while the selected pair does not answer everything is asked, soon and soon again") {
  const renomination_input interrupted{.now = now, .interrupted_since = now};
  CHECK(asks({selected(1, false), valid(2, true)}, interrupted) == 2);  // was asked a second ago, before the interruption
  CHECK(asks({selected(1, false), failed(2, true, 2s)}, interrupted) == 2);
  CHECK(asks({selected(1, false), failed(2, true, 1s)}, interrupted) == 0);
}

TEST_CASE("no more than eight failed pairs are asked, and no more than eight others kept, relays among them") {
  std::vector many{selected(99, true)};
  for (std::uint32_t n = 1; n <= 20; ++n) many.push_back(failed(n, false, n <= 8 ? 1s : 1h));
  CHECK(asks(many) == 0);
  many.resize(1);
  for (std::uint32_t n = 1; n <= 20; ++n) {
    many.push_back(valid(n, n > 10));
    many.back().asked = n <= 6 || n == 11 || n == 12 ? now : now - 1h;
  }
  CHECK(asks(many) == 0);
  many[11].asked = now - 6s;
  CHECK(asks(many) == 11);
}

TEST_CASE("a pair that has not answered for as long as consent lasts is given up") {
  const std::vector old{selected(1, false), valid(2, true, 20ms, 30s)};
  CHECK(next_probe(old, {.now = now}).give_up == pair_id(2));
  const std::vector fresh{selected(1, false), valid(2, true, 20ms, 29s)};
  CHECK_FALSE(next_probe(fresh, {.now = now}).give_up);
  CHECK(next_probe(fresh, {.now = now}).look_again == now + 1s);
}

TEST_CASE("nominations count upwards only") {
  nomination_memory m;
  CHECK_FALSE(m.accept(0, pair_id(1)));
  CHECK(m.accept(2, pair_id(1)));
  CHECK(m.accept(2, pair_id(1)));        // said again
  CHECK_FALSE(m.accept(2, pair_id(2)));  // replayed from elsewhere
  CHECK_FALSE(m.accept(1, pair_id(2)));
  CHECK(m.accept(7, pair_id(2)));
  CHECK(m.next() == 8);
  CHECK(m.accept(UINT32_MAX, pair_id(3)));
  CHECK(m.next() == UINT32_MAX);
}

}  // namespace strata::ice
