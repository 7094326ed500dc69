// An attribute's value as a person reads it. Text of the peer comes out with everything but printable ASCII escaped.
#pragma once

#include <string>

#include "stun/message_view.hpp"

namespace strata::stun {

// "192.0.2.1:32853", "\"evtj:h6vY\" (9 bytes)", "420 Unknown Attribute"; what decode() found wrong when it did.
[[nodiscard]] std::string describe(const attribute& a, const transaction_id& id);

}  // namespace strata::stun
