// Who nominates, and what happens when both sides think it is theirs (RFC 8445 §6.1.1, §7.3.1.1).
#pragma once

#include <cstdint>

namespace strata::ice {

// The tie-breaker is drawn once for the session and again after a 487 (§16.1, §7.2.5.1).
struct role {
  bool controlling = false;
  std::uint64_t tie_breaker = 0;
};

enum class role_verdict : std::uint8_t {
  agreed,  // the two roles differ
  yield,   // switch to the other role, then answer
  insist,  // answer 487: the peer has to switch
};

// RFC 8445 §7.3.1.1: an incoming request says which role its sender has.
[[nodiscard]] constexpr role_verdict resolve_roles(const role& ours, const role& theirs) noexcept {
  if (ours.controlling != theirs.controlling) return role_verdict::agreed;
  const bool larger = ours.tie_breaker >= theirs.tie_breaker;
  // The larger tie-breaker controls.
  if (ours.controlling) return larger ? role_verdict::insist : role_verdict::yield;
  return larger ? role_verdict::yield : role_verdict::insist;
}

}  // namespace strata::ice
