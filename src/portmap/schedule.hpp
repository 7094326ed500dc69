// When a request to a gateway is sent again, and when a mapping is renewed. Arithmetic only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace strata::portmap {

using namespace std::chrono_literals;

// RFC 6886 §3.1: the wait after the n-th transmission (from 0): 250 ms, doubled each time, nine in all.
constexpr std::optional<base::duration> nat_pmp_wait(unsigned n) noexcept {
  if (n >= 9) return std::nullopt;
  return base::duration(250ms) * (1 << n);
}

// RFC 6887 §8.1.1: about three seconds first (IRT), then doubled up to 1024 (MRT), for as long as somebody wants it. `chance`
// is any 64 random bits: each wait is up to a tenth longer or shorter.
constexpr base::duration pcp_wait(unsigned n, std::uint64_t chance) noexcept {
  const base::duration middle = std::min<base::duration>(base::duration(3s) * (1ll << std::min(n, 10u)), 1024s);
  const auto tenth = middle / 10;
  return middle - tenth +
         base::duration(static_cast<base::duration::rep>(chance % static_cast<std::uint64_t>(2 * tenth.count())));
}

// RFC 6887 §11.2.1, RFC 6886 §3.3: at half of the lifetime, and after each failure at half of what is left, but not more often
// than every four seconds. Nothing: it is too late. A mapping without end (zero) is looked after all the same, since
// gateways that forget theirs when they restart are the rule.
constexpr std::optional<base::duration> renewal_wait(base::duration lifetime, base::duration since_granted) noexcept {
  if (lifetime == base::duration::zero()) return 20min;
  const auto left = lifetime - since_granted;
  if (left <= base::duration(4s)) return std::nullopt;
  return std::max<base::duration>(left / 2, 4s);
}

}  // namespace strata::portmap
