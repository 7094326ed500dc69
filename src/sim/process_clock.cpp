// usrsctp measures time with gettimeofday() and draws numbers with its own read_random(); mbedTLS writes time() into a
// hello. This program's definitions come first in the dynamic linker's order, so the libraries follow the virtual clock
// and a seed: round trips, lifetimes of messages and of cookies are as virtual as the timers.
#include "sim/process_clock.hpp"

#include <sys/time.h>

#include <chrono>
#include <cstddef>
#include <ctime>

#include "sim/generator.hpp"

namespace strata::sim {
namespace {

const async::loop* current = nullptr;
generator chance(1);

std::int64_t microseconds_now() {
  // Not zero and never backwards from one run to the next, or the library would see time run away.
  static std::int64_t base_us = 1'767'225'600'000'000, last_us = 0;
  static const async::loop* seen = nullptr;
  if (current != seen) {
    seen = current;
    base_us += last_us + 1'000'000;
  }
  using namespace std::chrono;
  last_us = seen != nullptr ? duration_cast<std::chrono::microseconds>(seen->now().time_since_epoch()).count() : 0;
  return base_us + last_us;
}

}  // namespace

void follow(const async::loop* l, std::uint64_t seed) {
  current = l;
  chance = generator(seed, "process");
}

}  // namespace strata::sim

extern "C" int gettimeofday(timeval* out, void*) noexcept {
  const auto now = strata::sim::microseconds_now();
  out->tv_sec = now / 1'000'000;
  out->tv_usec = now % 1'000'000;
  return 0;
}

extern "C" std::time_t time(std::time_t* out) noexcept {
  const auto now = static_cast<std::time_t>(strata::sim::microseconds_now() / 1'000'000);
  if (out != nullptr) *out = now;
  return now;
}

extern "C" void read_random(void* out, std::size_t size) { strata::sim::chance.fill({static_cast<std::uint8_t*>(out), size}); }
