// usrsctp measures time with gettimeofday() and draws numbers with its own read_random(). This program's definitions come
// first in the dynamic linker's order, so the library follows the virtual clock and a seed: round trips, lifetimes of
// messages and of cookies are as virtual as the timers, and a test is the same every time it runs.
#include "virtual_clock.hpp"

#include <sys/time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace strata::test {
namespace {
const async::loop* current = nullptr;
std::mt19937_64 chance(1);
}  // namespace

void follow(const async::loop* l) {
  current = l;
  chance.seed(1);
}

}  // namespace strata::test

extern "C" int gettimeofday(timeval* out, void*) noexcept {
  using namespace std::chrono;
  // Not zero and never backwards from one test to the next, or the library would see time run away.
  static std::int64_t base_us = 1'000'000'000'000'000, last_us = 0;
  static const strata::async::loop* seen = nullptr;
  if (strata::test::current != seen) {
    seen = strata::test::current;
    base_us += last_us + 1'000'000;
  }
  last_us = seen != nullptr ? duration_cast<microseconds>(seen->now().time_since_epoch()).count() : 0;
  out->tv_sec = (base_us + last_us) / 1'000'000;
  out->tv_usec = (base_us + last_us) % 1'000'000;
  return 0;
}

extern "C" void read_random(void* out, std::size_t size) {
  auto* octets = static_cast<std::uint8_t*>(out);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(strata::test::chance());
}
