// How fast the programs of one host take in what has arrived, over all their sockets and streams. What they have not taken
// fills the buffers before them, as it does on a machine that is busy. Rules only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/time.hpp"

namespace strata::sim {

class receive_pace {
 public:
  void set(std::uint64_t bytes_per_second) noexcept {  // 0: no limit
    rate_ = bytes_per_second;
    next_ = base::instant{};
  }
  // When the next read may take something.
  [[nodiscard]] base::instant next() const noexcept { return next_; }
  // What one read of a stream may take: the bytes of a twentieth of a second.
  [[nodiscard]] std::size_t most() const noexcept {
    return rate_ == 0 ? std::numeric_limits<std::size_t>::max() : std::max<std::size_t>(1, rate_ / 20);
  }
  void took(std::size_t bytes, base::instant now) noexcept {
    if (rate_ == 0) return;
    const std::chrono::duration<double> busy(static_cast<double>(bytes) / static_cast<double>(rate_));
    next_ = std::max(next_, now) + std::chrono::duration_cast<base::duration>(busy);
  }

 private:
  std::uint64_t rate_ = 0;
  base::instant next_{};
};

}  // namespace strata::sim
