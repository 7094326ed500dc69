#include "stun/discovery/lifetime_search.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace strata::stun {
namespace {

using namespace std::chrono_literals;

// RFC 4787 §4.3 asks for two minutes at least and recommends five; what is sold as a home router has 30 s to 5 min.
constexpr std::array<base::duration, 8> ladder{15s, 30s, 60s, 120s, 180s, 300s, 600s, 1200s};
constexpr base::duration::rep parts = 5;
constexpr base::duration finest = 5s;

}  // namespace

std::vector<base::duration> lifetime_search::next_round() const {
  std::vector<base::duration> round;
  if (dead_ == base::duration::zero()) {
    for (const auto step : ladder)
      if (step > alive_ && step <= limit_) round.push_back(step);
    return round;
  }
  const auto gap = dead_ - alive_;
  if (gap <= std::max<base::duration>(finest, dead_ / 20)) return round;
  for (base::duration::rep n = 1; n < parts; ++n) round.push_back(alive_ + gap * n / parts);
  return round;
}

void lifetime_search::learn(base::duration silence, bool alive) noexcept {
  // Trials can contradict each other when packets are lost: the shortest death counts, nothing lives beyond it.
  if (alive && (dead_ == base::duration::zero() || silence < dead_)) alive_ = std::max(alive_, silence);
  if (alive || (dead_ != base::duration::zero() && silence >= dead_)) return;
  dead_ = silence;
  if (alive_ >= dead_) alive_ = base::duration::zero();
}

}  // namespace strata::stun
