#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

TEST_CASE("a run that can never go on fails with the task tree") {
  sim::network net(1);
  std::string text;
  bool unwound = false;
  try {
    net.run([](bool& unwound) -> async::task<> {
      struct guard {
        bool& flag;
        ~guard() { flag = true; }
      } g{unwound};
      async::event never;
      co_await never.wait();
    }(unwound));
  } catch (const sim::deadlock& d) {
    text = d.what();
  }
  CHECK(text.find("nothing is left that could wake") != text.npos);
  CHECK(text.find("run.cpp:") != text.npos);
  CHECK(text.find(": event") != text.npos);
  CHECK(unwound);
}

TEST_CASE("a run that goes on for ever ends at its limit of virtual time") {
  sim::network net(1);
  net.set_limit(10min);
  CHECK_THROWS_AS(net.run([]() -> async::task<> {
    for (;;) co_await async::sleep_for(1s);
  }()),
                  sim::overtime);
}

TEST_CASE("a run gives the task's value, or what it threw") {
  sim::network net(1);
  CHECK(net.run([]() -> async::task<int> {
    co_await async::sleep_for(24h - 1ms);
    co_return 7;
  }()) == 7);
  CHECK_THROWS_AS(net.run([]() -> async::task<> {
    co_await async::sleep_for(1s);
    throw std::invalid_argument("x");
  }()),
                  std::invalid_argument);
}

TEST_CASE("background roots live beside the runs, and what they throw comes out of the run in which it happened") {
  sim::network net(1);
  int ticks = 0;
  net.start("ticks", [](int& ticks) -> async::task<> {
    for (;;) {
      co_await async::sleep_for(1s);
      ++ticks;
    }
  }(ticks));
  net.run_for(5s);
  CHECK(ticks == 5);
  net.run_for(1500ms);
  CHECK(ticks == 6);
  net.start("fails", []() -> async::task<> {
    co_await async::sleep_for(1s);
    throw std::runtime_error("background");
  }());
  CHECK_THROWS_WITH(net.run_for(2s), "background");
  net.run_for(2s);
  CHECK(ticks == 10);
}
