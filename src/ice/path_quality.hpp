// How good a path is, from the requests that were sent on it: a smoothed round trip (RFC 6298 §2) and the share of requests
// that stayed without an answer, of the last sixteen. A rule: it is told of requests and answers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace strata::ice {

class path_quality {
 public:
  static constexpr std::size_t window = 16;

  // A request goes out. The number says which one is answered.
  std::uint32_t asked(base::instant now) noexcept {
    requests_[next_ % window] = {.sent = now};
    return next_++;
  }
  void answered(std::uint32_t number, base::duration round_trip) noexcept {
    if (number < next_ && next_ - number <= window) requests_[number % window].answered = true;
    sample(round_trip);
  }
  // A request that was repeated before its answer came: RFC 6298 §3, nobody knows which of them was answered, so it measures
  // nothing; all but one count as lost.
  void answered_after(unsigned transmissions, base::instant now) noexcept {
    for (unsigned n = 1; n < transmissions && n < window; ++n) requests_[asked(now) % window].lost = true;
    requests_[asked(now) % window].answered = true;
  }

  [[nodiscard]] std::optional<base::duration> rtt() const noexcept { return smoothed_; }
  [[nodiscard]] base::duration variation() const noexcept { return variation_; }
  [[nodiscard]] unsigned samples() const noexcept { return samples_; }
  // RFC 6298 §2: an answer that has not come by then is not expected any more; one that comes all the same counts.
  [[nodiscard]] base::duration patience() const noexcept {
    using namespace std::chrono_literals;
    return smoothed_ ? std::max<base::duration>(*smoothed_ + 4 * variation_, 1s) : 1s;
  }
  // 0 to 1, of the requests that had their time.
  [[nodiscard]] double loss(base::instant now) const noexcept {
    unsigned decided = 0, lost = 0;
    for (std::size_t n = 0; n < std::min<std::size_t>(next_, window); ++n) {
      const auto& r = requests_[n];
      const bool late = r.lost || (!r.answered && now - r.sent >= patience());
      decided += late || r.answered ? 1 : 0;
      lost += late ? 1 : 0;
    }
    return decided == 0 ? 0.0 : static_cast<double>(lost) / decided;
  }

 private:
  void sample(base::duration r) noexcept {
    if (samples_ != UINT32_MAX) ++samples_;
    if (!smoothed_) {  // RFC 6298 §2.2
      smoothed_ = r;
      variation_ = r / 2;
      return;
    }
    const auto off = *smoothed_ > r ? *smoothed_ - r : r - *smoothed_;  // §2.3: beta 1/4, alpha 1/8
    variation_ += (off - variation_) / 4;
    *smoothed_ += (r - *smoothed_) / 8;
  }

  struct request {
    base::instant sent{};
    bool answered = false;
    bool lost = false;
  };
  std::array<request, window> requests_{};
  std::uint32_t next_ = 0;
  std::optional<base::duration> smoothed_;
  base::duration variation_{};
  unsigned samples_ = 0;
};

// What others are told about it.
struct path_report {
  std::optional<base::duration> rtt;  // smoothed
  base::duration variation{};
  double loss = 0;
  unsigned samples = 0;
};
[[nodiscard]] inline path_report report(const path_quality& q, base::instant now) noexcept {
  return {q.rtt(), q.variation(), q.loss(now), q.samples()};
}

}  // namespace strata::ice
