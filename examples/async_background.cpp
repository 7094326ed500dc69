// Background work lives in a scope. An object that has some gives it out as run(). docs/async.md quotes this file.
#include <cstdio>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

async::task<> tick(int& ticks) {
  for (;;) {
    co_await async::sleep_for(1s);
    ++ticks;
  }
}

async::task<int> ticks_during(base::duration d) {
  int ticks = 0;
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("ticker", tick, std::ref(ticks));
    co_await async::sleep_for(d);
  });
  // Here the ticker has ended, so nobody holds a reference to ticks any more.
  co_return ticks;
}

// Keeps a value fresh for as long as run() runs.
class thermometer {
 public:
  async::task<> run() {
    for (;;) {
      degrees_ += 1;
      changed_.pulse();
      co_await async::sleep_for(10s);
    }
  }
  async::task<int> next() {
    co_await changed_.wait();
    co_return degrees_;
  }

 private:
  int degrees_ = 20;
  async::event changed_;
};

async::task<int> third_reading() {
  thermometer t;
  co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<int> {
    s.spawn("thermometer", [&] { return t.run(); });
    co_await t.next();
    co_await t.next();
    co_return co_await t.next();
  });
}

int main() {
  sim::loop loop;
  const int ticks = loop.run(ticks_during(3500ms));
  const int reading = loop.run(third_reading());
  std::printf("%d ticks, reading %d\n", ticks, reading);
  return ticks == 3 && reading == 23 ? 0 : 1;
}
