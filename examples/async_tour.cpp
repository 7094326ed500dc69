// The shortest tour of the framework: tasks, time, tasks side by side. docs/async.md quotes it.
#include <cstdio>
#include <string>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

async::task<int> measure(std::string what, base::duration takes) {
  co_await async::sleep_for(takes);
  std::printf("%s measured\n", what.c_str());
  co_return static_cast<int>(takes / 1ms);
}

async::task<int> one_after_the_other() {
  const int a = co_await measure("first", 30ms);
  const int b = co_await measure("second", 20ms);
  co_return a + b;
}

async::task<int> side_by_side() {
  auto [a, b] = co_await async::all_of(measure("slow", 30ms), measure("quick", 20ms));
  co_return a + b;
}

int main() {
  sim::loop loop;
  const auto begin = loop.now();
  const int sum = loop.run(one_after_the_other());
  const auto first = loop.now() - begin;
  const int same = loop.run(side_by_side());
  const auto second = loop.now() - begin - first;
  std::printf("%d in %g ms, %d in %g ms\n", sum, base::milliseconds(first), same, base::milliseconds(second));
  return sum == same && first == 50ms && second == 30ms ? 0 : 1;
}
