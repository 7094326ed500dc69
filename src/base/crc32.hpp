// CRC-32 (ISO 3309, as RFC 8489 §14.7 FINGERPRINT uses it) and CRC-32C (RFC 9260 appendix A).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace strata::base {

[[nodiscard]] std::uint32_t crc32(byte_view data, std::uint32_t crc = 0) noexcept;

// Uses the SSE4.2 instruction where the processor has it; both give the same number.
[[nodiscard]] std::uint32_t crc32c(byte_view data, std::uint32_t crc = 0) noexcept;
[[nodiscard]] std::uint32_t crc32c_portable(byte_view data, std::uint32_t crc = 0) noexcept;
[[nodiscard]] bool crc32c_is_accelerated() noexcept;

}  // namespace strata::base
