// What a user message on a channel's stream is (RFC 8831 §8).
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace strata::datachannel {

enum class payload : std::uint32_t {
  dcep = 50,
  text = 51,
  binary_part = 52,  // deprecated: accepted, never sent (§6.6)
  binary = 53,
  text_part = 54,  // deprecated
  empty_text = 56,
  empty_binary = 57,
};

[[nodiscard]] constexpr payload payload_of(bool is_text, bool empty) noexcept {
  if (empty) return is_text ? payload::empty_text : payload::empty_binary;
  return is_text ? payload::text : payload::binary;
}

// RFC 8831 §6.6: SCTP carries no empty user messages, so an empty message is one zero octet that means nothing.
inline constexpr std::array<std::uint8_t, 1> nothing{0};

}  // namespace strata::datachannel
