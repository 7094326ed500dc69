// FINGERPRINT (RFC 8489 §14.7): CRC-32 of everything before it, combined with 0x5354554e ("STUN") so that a CRC of the
// application's own does not pass for it.
#pragma once

#include <cstdint>

#include "base/crc32.hpp"
#include "stun/message_view.hpp"
#include "stun/wire.hpp"

namespace strata::stun {

// `before`: the message up to the attribute, its length field already counting it.
[[nodiscard]] inline std::uint32_t fingerprint_of(base::byte_view before) noexcept { return base::crc32(before) ^ 0x5354554eu; }

enum class fingerprint_check : std::uint8_t { absent, valid, invalid };

[[nodiscard]] inline fingerprint_check check_fingerprint(const message_view& m) noexcept {
  const auto at = m.fingerprint_offset();
  if (!at) return fingerprint_check::absent;
  return wire::u32(m.bytes(), *at + 4) == fingerprint_of(m.bytes().first(*at)) ? fingerprint_check::valid
                                                                               : fingerprint_check::invalid;
}

}  // namespace strata::stun
