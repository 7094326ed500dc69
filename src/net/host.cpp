#include "net/host.hpp"

#include <array>

namespace strata::net {

std::uint64_t host::random_u64() {
  std::array<std::uint8_t, 8> octets;
  random(octets);
  std::uint64_t value = 0;
  for (const auto o : octets) value = value << 8 | o;
  return value;
}

std::uint64_t host::random_below(std::uint64_t bound) {
  // Draws above the largest multiple of bound would favour small results; draw again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;)
    if (const auto value = random_u64(); value < limit) return value % bound;
}

async::task<> host::run_blocking(std::function<void()> f) {
  f();
  co_return;
}

}  // namespace strata::net
