// The comprehension-required attributes of a message that the receiver does not know (RFC 8489 §6.3.1, §14).
#pragma once

#include <span>
#include <vector>

#include "stun/message_view.hpp"

namespace strata::stun {

// `known`: what the receiver understands besides the attributes of RFC 8489 itself, which everybody does. Each type is
// listed once, at most 64 of them: a hostile request must not make a large answer.
[[nodiscard]] std::vector<attribute_type> unknown_required(const message_view& m, std::span<const attribute_type> known = {});

}  // namespace strata::stun
