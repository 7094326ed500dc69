// Decorrelated jitter: each pause is drawn between the base and three times the last one, up to a cap; success resets.
// A herd that lost the same registry spreads out instead of returning in step.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace strata::mesh {

class backoff {
 public:
  backoff(base::duration least, base::duration most) : least_(least), most_(most), last_(least) {}

  // random: uniform 64 bits
  base::duration next(std::uint64_t random) {
    const auto high = std::min(most_, last_ * 3);
    const auto span = static_cast<std::uint64_t>((high - least_).count()) + 1;
    last_ = least_ + base::duration(static_cast<std::int64_t>(random % span));
    return last_;
  }
  void reset() { last_ = least_; }

 private:
  base::duration least_, most_, last_;
};

}  // namespace strata::mesh
