// Base64 (RFC 4648 §4, padded) and base64url (§5, unpadded). Decoding is strict: canonical text only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace strata::base {

[[nodiscard]] std::string base64_encode(byte_view data);
[[nodiscard]] std::optional<bytes> base64_decode(std::string_view text);
[[nodiscard]] std::string base64url_encode(byte_view data);
[[nodiscard]] std::optional<bytes> base64url_decode(std::string_view text);

}  // namespace strata::base
