#include "stun/rate_limiter.hpp"

#include <algorithm>

namespace strata::stun {

rate_limiter::rate_limiter(std::uint64_t seed, unsigned per_second, unsigned burst, std::size_t slots)
    : seed_(seed),
      price_(per_second == 0 ? base::duration::zero() : base::duration(std::chrono::seconds(1)) / per_second),
      credit_(price_ * std::max(1u, burst)),
      buckets_(per_second == 0 ? 0 : std::max<std::size_t>(1, slots)) {}

bool rate_limiter::admit(const base::ip_address& source, base::instant now) noexcept {
  if (buckets_.empty()) return true;
  std::uint64_t h = seed_;
  const auto octets = source.octets().first(source.is_v4() ? 4 : 8);
  for (const auto octet : octets) {
    h = (h ^ octet) * 0xbf58476d1ce4e5b9u;
    h ^= h >> 29;
  }
  auto& b = buckets_[h % buckets_.size()];
  const auto paid = std::max(b.empty_until, now) + price_;
  if (paid - now > credit_) return false;
  b.empty_until = paid;
  return true;
}

}  // namespace strata::stun
