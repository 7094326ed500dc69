// Attributes of connectivity checks, RFC 8445 §16.1: PRIORITY is 32 bits, USE-CANDIDATE is empty, ICE-CONTROLLED and
// ICE-CONTROLLING are the sender's 64-bit tie-breaker.
#pragma once

#include "stun/attributes/numbers.hpp"

namespace strata::stun {

using priority = detail::number32<attribute_type::priority>;
// draft-thatcher-ice-renomination §3, as libwebrtc numbers it: the highest nomination counts.
using nomination = detail::number32<attribute_type::nomination>;
using use_candidate = detail::flag<attribute_type::use_candidate>;
using ice_controlled = detail::number64<attribute_type::ice_controlled>;
using ice_controlling = detail::number64<attribute_type::ice_controlling>;

}  // namespace strata::stun
