// Decorrelated jitter: each pause is drawn between the base and three times the last one, up to a cap; success resets.
// A herd that lost the same registry spreads out instead of returning in step.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace strata::base {

class backoff {
 public:
  backoff(duration least, duration most) : least_(least), most_(most), last_(least) {}

  // random: uniform 64 bits
  duration next(std::uint64_t random) {
    const auto high = std::min(most_, last_ * 3);
    const auto span = static_cast<std::uint64_t>((high - least_).count()) + 1;
    last_ = least_ + duration(static_cast<std::int64_t>(random % span));
    return last_;
  }
  void reset() { last_ = least_; }

 private:
  duration least_, most_, last_;
};

}  // namespace strata::base
