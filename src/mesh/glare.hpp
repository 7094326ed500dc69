// Who offers. The registry lists peers so that of two exactly one offers; should both offer all the same (a
// reconnect, another registry), the two sides must come to the same decision without another message.
#pragma once

#include <cstdint>
#include <string_view>

namespace strata::mesh {

enum class glare : std::uint8_t {
  answer_theirs,  // drop our outstanding offer and answer
  keep_ours,      // ignore their offer; they answer ours
};

// Called when an offer arrives while ours to that peer is outstanding.
// Between peers that both follow this rule the smaller id offers. An upstream sidecar always answers, whatever it had
// offered, so against one of those ours is kept.
constexpr glare settle_glare(std::string_view own_id, std::string_view their_id, bool they_follow_the_rule) noexcept {
  if (!they_follow_the_rule) return glare::keep_ours;
  return own_id < their_id ? glare::keep_ours : glare::answer_theirs;
}

}  // namespace strata::mesh
