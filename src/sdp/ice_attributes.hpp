// The attributes of RFC 8839 §5, checked. Candidates are not looked into here: the ICE layer reads them, and a bad one
// costs only itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strata::sdp {

// §5.4
[[nodiscard]] bool is_ice_ufrag(std::string_view text) noexcept;  // 4–256 ice-chars
[[nodiscard]] bool is_ice_pwd(std::string_view text) noexcept;    // 22–256 ice-chars

// §5.6: words of ice-chars.
[[nodiscard]] std::optional<std::vector<std::string>> parse_ice_options(std::string_view text);

// §5.5: 1 to 10 digits, milliseconds.
[[nodiscard]] std::optional<std::uint32_t> parse_ice_pacing(std::string_view text);

// §5.2: component, address and port, again and again.
[[nodiscard]] bool is_remote_candidates(std::string_view text);

}  // namespace strata::sdp
