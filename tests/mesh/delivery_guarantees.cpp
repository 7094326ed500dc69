#include <doctest/doctest.h>

#include "delivery_storm.hpp"

namespace {

void seeds(std::uint64_t first, int many, const delivery::weather& w, int steps) {
  delivery::storm::totals all;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(many); ++seed) {
    delivery::storm s(seed, w);
    s.rage(steps);
    s.calm();
    CAPTURE(seed);
    REQUIRE(s.wrong() == "");
    all.told += s.counted().told;
    all.delivered += s.counted().delivered;
    all.unknown += s.counted().unknown;
    all.kills += s.counted().kills;
  }
  MESSAGE(all.told << " told, " << all.delivered << " delivered, " << all.unknown << " unknown, " << all.kills << " kills");
  CHECK(all.delivered > all.told / 2);  // the weather must not be so bad that nothing is proved
}

}  // namespace

TEST_CASE("over a path that loses, repeats and reorders, every message settles as it was told") {
  seeds(1, 15, {.alice_killed = false, .bob_killed = false}, 3000);
}

TEST_CASE("with its receiver killed at any moment, no durable message comes twice, and none is lost without a word") {
  // Unknown are only those that stood before its program or were about to.
  seeds(1000, 15, {.alice_killed = false}, 3000);
}

TEST_CASE("with its sender killed at any moment, no durable message comes twice, and none that was safe is lost") {
  seeds(2000, 15, {.bob_killed = false}, 3000);
}

TEST_CASE("with both killed at any moment, no durable message comes twice, and none that was safe is lost") {
  seeds(3000, 30, {}, 3000);
}

TEST_CASE("a receiver that loses its store is sent again what was not acknowledged, and nothing else") {
  seeds(4000, 15, {.alice_killed = false, .bob_loses_store = true}, 3000);
}

TEST_CASE("a receiver that holds what lies behind a hole gets the hole filled, though that fills the window") {
  seeds(774757, 1, {}, 3000);
}
