// Byte sequences as the protocols see them: unsigned octets, borrowed or owned.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace strata::base {

using bytes = std::vector<std::uint8_t>;          // owned
using byte_view = std::span<const std::uint8_t>;  // borrowed, read only
using byte_span = std::span<std::uint8_t>;        // borrowed, writable

inline byte_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(byte_view data) noexcept { return {reinterpret_cast<const char*>(data.data()), data.size()}; }

inline bytes to_bytes(byte_view data) { return {data.begin(), data.end()}; }
inline bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

inline void append(bytes& to, byte_view data) { to.insert(to.end(), data.begin(), data.end()); }

}  // namespace strata::base
