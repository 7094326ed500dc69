// Fixed-position reads from a buffer whose size is already known to suffice. For the codec files of this folder.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace strata::stun::wire {

inline std::uint16_t u16(base::byte_view d, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(d[at] << 8 | d[at + 1]);
}
inline std::uint32_t u32(base::byte_view d, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(d[at]) << 24 | static_cast<std::uint32_t>(d[at + 1]) << 16 |
         static_cast<std::uint32_t>(d[at + 2]) << 8 | static_cast<std::uint32_t>(d[at + 3]);
}
inline std::uint64_t u64(base::byte_view d, std::size_t at) noexcept {
  return static_cast<std::uint64_t>(u32(d, at)) << 32 | u32(d, at + 4);
}
inline constexpr std::size_t padded(std::size_t size) noexcept { return (size + 3) & ~std::size_t{3}; }

}  // namespace strata::stun::wire
