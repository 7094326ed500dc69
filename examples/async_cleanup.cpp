// What happens on the way out. docs/async.md quotes this file.
#include <cstdio>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

struct lamp {
  lamp() { std::puts("on"); }
  ~lamp() { std::puts("off"); }
  lamp(const lamp&) = delete;
  lamp& operator=(const lamp&) = delete;
};

async::task<> work() {
  lamp l;  // switched off when the work ends, and also when it is cancelled
  co_await async::sleep_for(1h);
}

async::task<> tell_the_server(bool& told) {
  co_await async::sleep_for(50ms);  // a round trip
  told = true;
}

async::task<> work_and_say_goodbye(bool& told) {
  co_await async::finally(work(), [&] { return tell_the_server(told); });
}

async::task<> write_record(int& written) {
  ++written;
  co_await async::sleep_for(5ms);
  ++written;
}

async::task<> write_for_ever(int& written) {
  // Half a record would be worse than none: a cancellation waits until this one is whole.
  for (;;) co_await async::shielded(write_record(written));
}

int main() {
  sim::loop loop;
  bool told = false;
  int written = 0;
  loop.run([](bool& told, int& written) -> async::task<> {
    co_await async::with_timeout(1s, work_and_say_goodbye(told));
    co_await async::with_timeout(12ms, write_for_ever(written));
  }(told, written));
  std::printf("the server was %s, %d halves were written\n", told ? "told" : "not told", written);
  return told && written % 2 == 0 ? 0 : 1;
}
