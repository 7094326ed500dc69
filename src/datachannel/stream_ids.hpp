// Which stream a channel takes (RFC 8832 §6): the DTLS client has the even ids, the server the odd ones, so that both may
// open channels at the same time.
#pragma once

#include <cstdint>
#include <optional>

namespace strata::datachannel {

inline constexpr std::uint16_t highest_stream_id = 65534;  // 65535 is no id: the stream count has 16 bits

[[nodiscard]] constexpr bool is_ours(std::uint16_t id, bool dtls_client) noexcept { return (id % 2 == 0) == dtls_client; }

// The lowest id of ours below `streams` that is not in use in either direction.
template <class InUse>
[[nodiscard]] std::optional<std::uint16_t> free_stream_id(bool dtls_client, std::uint32_t streams, InUse in_use) {
  for (std::uint32_t id = dtls_client ? 0 : 1; id < streams && id <= highest_stream_id; id += 2)
    if (!in_use(static_cast<std::uint16_t>(id))) return static_cast<std::uint16_t>(id);
  return std::nullopt;
}

}  // namespace strata::datachannel
