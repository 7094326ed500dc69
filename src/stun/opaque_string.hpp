// The OpaqueString profile (RFC 8265 §4.2), which RFC 8489 applies to usernames, realms and passwords before they are hashed.
//
// Done here: every space of Unicode becomes U+0020; text with control characters, invisible or unassigned code points, or that
// is empty or no UTF-8, is refused. Not done: composition to NFC, which needs Unicode's tables. Text has to come composed, as
// keyboards and terminals give it; ASCII is the same in every form.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace strata::stun {

// errc::bad_value with the offset of the character that is not allowed.
[[nodiscard]] base::result<std::string> opaque_string(std::string_view text);

}  // namespace strata::stun
