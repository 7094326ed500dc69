// The simulator's source of chance: splitmix64, a pure value. One for each host and each direction of each link,
// seeded from the run's seed and a name, so that more traffic in one place changes no fate in another.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace strata::sim {

class generator {
 public:
  explicit constexpr generator(std::uint64_t seed) noexcept : state_(seed) {}
  generator(std::uint64_t seed, std::string_view name) noexcept : state_(seed) {
    for (const auto c : name) state_ = (state_ ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
    next();
  }

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    auto z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  // In [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // A probability of zero draws too: switching an impairment off leaves the other fates as they were.
  bool chance(double probability) noexcept { return unit() < probability; }
  void fill(base::byte_span out) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i % 8 == 0) word = next();
      out[i] = static_cast<std::uint8_t>(word >> i % 8 * 8);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace strata::sim
