#include "rtc/restart_rule.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace std::chrono_literals;

namespace {
constexpr base::instant noon = base::instant(12h);
rtc::restart_input quiet() { return {.now = noon, .controlling = true, .last_attempt = noon - 1h}; }
}  // namespace

TEST_CASE("a direct path that answers needs no restart") {
  const auto d = rtc::decide_restart(quiet());
  CHECK(d.why.empty());
  CHECK(d.look_again == base::never);
}

TEST_CASE("the controlling side restarts an interrupted path at once, the other a moment later") {
  auto in = quiet();
  in.interrupted = true;
  in.interrupted_since = noon;
  CHECK(rtc::decide_restart(in).why == "the path does not answer");
  in.controlling = false;
  const auto d = rtc::decide_restart(in);
  CHECK(d.why.empty());
  CHECK(d.look_again > noon);
  CHECK(d.look_again < noon + 1s);
}

TEST_CASE("restarts of no use come ever more seldom, but never end") {
  auto in = quiet();
  in.interrupted = true;
  in.interrupted_since = noon - 10min;
  in.last_attempt = noon;
  base::duration last{};
  for (unsigned n = 1; n < 100; ++n) {
    in.fruitless = n;
    const auto wait = rtc::decide_restart(in).look_again - noon;
    CHECK(wait >= last);
    CHECK(wait <= 10s);
    last = wait;
  }
}

TEST_CASE("a relayed path is tried to be replaced, by the controlling side, with growing patience") {
  auto in = quiet();
  in.relayed = true;
  in.last_attempt = noon;
  CHECK(rtc::decide_restart(in).look_again == noon + 30s);
  in.fruitless = 1;
  CHECK(rtc::decide_restart(in).look_again == noon + 60s);
  in.fruitless = 40;
  CHECK(rtc::decide_restart(in).look_again == noon + 10min);
  in.controlling = false;
  CHECK(rtc::decide_restart(in).look_again == base::never);
}

TEST_CASE("agents that renominate are given a moment to change to another pair") {
  auto in = quiet();
  in.relayed = in.renominates = true;
  in.interrupted = true;
  in.interrupted_since = noon;
  CHECK_FALSE(rtc::decide_restart(in).why.empty());  // there is nothing else
  in.alternatives = true;
  CHECK(rtc::decide_restart(in).look_again == noon + 1500ms);
  in.interrupted_since = noon - 2s;
  CHECK_FALSE(rtc::decide_restart(in).why.empty());
}

TEST_CASE("a changed network is a reason at once, yet not twice within a second") {
  auto in = quiet();
  in.asked = "the network has changed";
  CHECK_FALSE(rtc::decide_restart(in).why.empty());
  in.last_attempt = noon - 200ms;
  CHECK(rtc::decide_restart(in).why.empty());
  CHECK(rtc::decide_restart(in).look_again == noon + 800ms);
  in.last_attempt = noon;
  in.fruitless = 1;
  CHECK(rtc::decide_restart(in).look_again == noon + 2s);
  in.fruitless = 30;
  CHECK(rtc::decide_restart(in).look_again == noon + 10s);
}
