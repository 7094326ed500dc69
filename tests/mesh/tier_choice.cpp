#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "mesh/tier_choice.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::tier;

namespace {

constexpr base::instant start{1000s};

mesh::tier_facts open_channel(bool relayed = false) {
  mesh::tier_facts f;
  f.connection = 1;
  f.relayed = relayed;
  f.opened = f.heard = start;
  f.registry = f.frames = true;
  return f;
}

}  // namespace

TEST_CASE("the way by the table of what is there") {
  const struct {
    bool channel, relayed, registry, frames;
    tier use;
  } table[] = {
      {false, false, false, false, tier::none},  {false, false, true, false, tier::none},
      {false, false, false, true, tier::none},   {false, false, true, true, tier::tasks},
      {true, false, false, false, tier::direct}, {true, false, true, true, tier::direct},
      {true, true, false, true, tier::relayed},  {true, true, true, true, tier::relayed},
      {true, false, true, false, tier::direct},
  };
  for (const auto& t : table) {
    mesh::tier_facts f;
    f.connection = t.channel ? 1 : 0;
    f.relayed = t.relayed;
    f.registry = t.registry;
    f.frames = t.frames;
    f.opened = start;
    mesh::tier_choice c;
    const auto d = c.decide(f, start);
    CHECK(d.use == t.use);
    CHECK(c.now_on() == t.use);
    CHECK_FALSE(d.probe);
    CHECK(d.look_again == base::never);
  }
}

TEST_CASE("a channel without an answer is left within a second, and not a moment before its patience ends") {
  mesh::tier_choice c;
  auto f = open_channel();
  CHECK(c.decide(f, start).use == tier::direct);
  f.unanswered_since = start + 5s;
  f.heard = start + 4900ms;
  auto d = c.decide(f, start + 5s);
  CHECK(d.use == tier::direct);
  REQUIRE(d.look_again <= start + 6s);
  CHECK(c.decide(f, d.look_again - 1ns).use == tier::direct);
  d = c.decide(f, d.look_again);
  CHECK(d.use == tier::tasks);
  CHECK(d.go_again);
}

TEST_CASE("a channel that lasted for a minute is asked for a sign of life the moment that it is left") {
  mesh::tier_choice c;
  auto f = open_channel();
  c.decide(f, start);
  f.unanswered_since = start + 60s;
  auto d = c.decide(f, start + 61s);
  CHECK(d.use == tier::tasks);
  CHECK(d.probe);
  CHECK(d.look_again == start + 62s);
  f.unanswered_since.reset();
  f.heard = start + 61100ms;
  CHECK(c.decide(f, start + 61100ms).use == tier::direct);
}

TEST_CASE("an answer of any kind keeps the channel") {
  mesh::tier_choice c;
  auto f = open_channel();
  CHECK(c.decide(f, start).use == tier::direct);
  f.unanswered_since = start;
  for (auto now = start; now < start + 20s; now += 700ms) {
    f.heard = now;
    CHECK(c.decide(f, now).use == tier::direct);
  }
}

TEST_CASE("a path that is slow by nature is given two round trips") {
  mesh::tier_choice c;
  auto f = open_channel();
  f.round_trip = 700ms;
  CHECK(c.decide(f, start).use == tier::direct);
  f.unanswered_since = start + 1s;
  CHECK(c.decide(f, start + 2s).look_again == start + 2400ms);
  CHECK(c.decide(f, start + 2400ms).use == tier::tasks);
}

TEST_CASE("a channel that nothing was sent on is not suspected") {
  mesh::tier_choice c;
  const auto f = open_channel();
  CHECK(c.decide(f, start).look_again == base::never);
  CHECK(c.decide(f, start + 3600s).use == tier::direct);
}

TEST_CASE("the channel is kept while tasks cannot go, and left at once when they can") {
  mesh::tier_choice c;
  auto f = open_channel();
  f.registry = false;
  f.unanswered_since = start;
  CHECK(c.decide(f, start + 20s).use == tier::direct);
  f.registry = true;
  CHECK(c.decide(f, start + 20s).use == tier::tasks);
  f.registry = false;
  const auto d = c.decide(f, start + 21s);
  CHECK(d.use == tier::direct);
  CHECK(d.go_again);
}

TEST_CASE("a channel that did not last for a minute is asked after a second, and comes back with its answer") {
  mesh::tier_choice c;
  auto f = open_channel();
  c.decide(f, start);
  f.unanswered_since = start;
  CHECK(c.decide(f, start + 1s).use == tier::tasks);
  f.unanswered_since.reset();
  auto d = c.decide(f, start + 1500ms);
  CHECK(d.use == tier::tasks);
  CHECK_FALSE(d.go_again);
  CHECK_FALSE(d.probe);
  CHECK(d.look_again == start + 2s);
  d = c.decide(f, start + 2s);
  CHECK(d.probe);
  f.heard = start + 2100ms;
  d = c.decide(f, start + 2100ms);
  CHECK(d.use == tier::direct);
  CHECK(d.go_again);
}

TEST_CASE("another connection is used as soon as it is open, and what is on the way goes again") {
  mesh::tier_choice c;
  auto f = open_channel();
  c.decide(f, start);
  f.connection = 2;
  f.relayed = true;
  f.opened = f.heard = start + 1s;
  auto d = c.decide(f, start + 1s);
  CHECK(d.use == tier::relayed);
  CHECK(d.go_again);
  f.relayed = false;  // the same channel, over a better pair
  d = c.decide(f, start + 2s);
  CHECK(d.use == tier::direct);
  CHECK_FALSE(d.go_again);
  f.connection = 0;
  d = c.decide(f, start + 3s);
  CHECK(d.use == tier::tasks);
  CHECK(d.go_again);
  f.connection = 3;
  f.opened = start + 4s;
  CHECK(c.decide(f, start + 4s).use == tier::tasks);  // the one before lasted for three seconds only
  f.heard = start + 4500ms;
  CHECK(c.decide(f, start + 4500ms).use == tier::direct);
}

TEST_CASE("a path that lives for a moment again and again is used less and less, and forgiven when it lasts") {
  mesh::tier_choice c;
  auto f = open_channel();
  auto now = start;
  int switches = 0;
  const auto step = [&](base::instant until, bool alive) {
    for (; now < until; now += 50ms) {
      if (alive) f.heard = now;
      f.unanswered_since =
          alive || !mesh::over_link(c.now_on()) ? std::nullopt : std::optional(f.unanswered_since.value_or(now));
      switches += c.decide(f, now).go_again ? 1 : 0;
    }
  };
  // Two seconds of life, two of death, for five minutes.
  for (int i = 0; i < 75; ++i) {
    step(now + 2s, true);
    step(now + 2s, false);
  }
  CHECK(switches <= 30);
  step(now + 100s, true);
  CHECK(mesh::over_link(c.now_on()));
  switches = 0;
  step(now + 2s, false);
  CHECK(c.now_on() == tier::tasks);
  step(now + 1s, true);
  CHECK(mesh::over_link(c.now_on()));
  CHECK(switches == 2);
}

TEST_CASE(
    "over a random life of paths and registries it falls within a second, climbs back and never asks to be woken in the past") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    mesh::tier_choice c;
    mesh::tier_facts f = open_channel();
    bool alive = true;
    auto now = start, changed = start, registry_since = start;
    auto wake = base::never;
    for (int i = 0; i < 5000; ++i) {
      now = std::min(wake, now + std::chrono::milliseconds(1 + below(100)));
      if (below(100) == 0) {
        alive = !alive;
        changed = now;
      }
      if (below(300) == 0) {
        f.registry = !f.registry;
        registry_since = now;
      }
      if (below(200) == 0) {
        f.connection = f.connection == 0 ? 1 + below(1000) : 0;
        f.opened = now;
        if (f.connection != 0) alive = true;
        changed = now;
      }
      // Somebody sends all the time. On a path that is alive everything is answered at once, a probe on one that is not used
      // too.
      if (alive && f.connection != 0) {
        f.heard = now;
        f.unanswered_since.reset();
      } else if (mesh::over_link(c.now_on())) {
        f.unanswered_since = f.unanswered_since.value_or(now);
      } else {
        f.unanswered_since.reset();
      }
      const auto d = c.decide(f, now);
      if (d.go_again) f.unanswered_since.reset();
      wake = d.look_again;
      REQUIRE(wake > now);
      REQUIRE_FALSE((d.use == tier::tasks && !f.registry));
      REQUIRE_FALSE((mesh::over_link(d.use) && f.connection == 0));
      const bool dead_long = (!alive || f.connection == 0) && now - changed >= 1s && now - registry_since >= 1s;
      if (dead_long && f.registry) REQUIRE(d.use == tier::tasks);
      if (alive && f.connection != 0 && now - changed > 31s) REQUIRE(mesh::over_link(d.use));
    }
  }
}

TEST_CASE("a channel that the peer does not use itself is doubted sooner") {
  mesh::tier_choice c;
  auto f = open_channel();
  CHECK(c.decide(f, start).use == tier::direct);
  f.letter = start + 1s;
  CHECK(c.decide(f, start + 1s).use == tier::direct);  // nothing of ours waits
  f.unanswered_since = start + 2s;
  const auto d = c.decide(f, start + 2s);
  CHECK(d.use == tier::direct);
  CHECK(d.look_again == start + 2s + 100ms);
  CHECK(c.decide(f, d.look_again).use == tier::tasks);

  mesh::tier_choice other;
  f.heard = start + 1500ms;  // since the letter
  CHECK(other.decide(f, start + 2s).use == tier::direct);
  CHECK(other.decide(f, start + 2s).look_again == start + 2s + 800ms);
}
