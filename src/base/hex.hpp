// Hexadecimal text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace strata::base {

[[nodiscard]] std::string to_hex(byte_view data);                    // lower case, no separators
[[nodiscard]] std::optional<bytes> from_hex(std::string_view text);  // both cases; white space between octets is skipped

}  // namespace strata::base
