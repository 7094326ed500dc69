// SCTP packets as octets: the common header with its checksum, and the chunks behind it. Only looked at, never built.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          source port          |       destination port        |
//   |                       verification tag                        |
//   |                      checksum (CRC-32C)                       |   RFC 9260 §3.1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     type      |     flags     |            length             |   RFC 9260 §3.2; the length counts these four octets
//   |                  value, padded to four octets                 |   and the value, not the padding
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace strata::sctp {

inline constexpr std::size_t common_header_size = 12;
inline constexpr std::size_t checksum_offset = 8;

enum class chunk_type : std::uint8_t {
  data = 0,
  init = 1,
  init_ack = 2,
  sack = 3,
  heartbeat = 4,
  heartbeat_ack = 5,
  abort = 6,
  shutdown = 7,
  cookie_echo = 10,
  cookie_ack = 11,
  i_data = 64,
  reconfig = 130,
  forward_tsn = 192,
};

struct chunk {
  chunk_type type;
  std::uint8_t flags;
  base::byte_view value;
};

// RFC 9260 §6.8: over the whole packet with the checksum field taken as zero; written least significant octet first.
[[nodiscard]] std::uint32_t checksum_of(base::byte_view packet) noexcept;
[[nodiscard]] bool checksum_is_right(base::byte_view packet) noexcept;  // false for less than a header, too
void write_checksum(base::byte_span packet) noexcept;

// Takes the next chunk off the front. Nothing: the end, or a length that cannot be.
[[nodiscard]] std::optional<chunk> take_chunk(base::byte_view& chunks) noexcept;
[[nodiscard]] inline base::byte_view chunks_of(base::byte_view packet) noexcept { return packet.subspan(common_header_size); }

// DATA (RFC 9260 §3.3.1) and I-DATA (RFC 8260 §2.1) begin with it.
[[nodiscard]] std::optional<std::uint32_t> tsn_of(const chunk& c) noexcept;

// The cumulative TSN of a SACK (RFC 9260 §3.3.4).
[[nodiscard]] std::optional<std::uint32_t> acknowledged_by(const chunk& c) noexcept;

// The "sender's last assigned TSN" of a RE-CONFIG that asks for a reset of the peer's outgoing streams (RFC 6525 §4.1).
[[nodiscard]] std::optional<std::uint32_t> last_tsn_before_reset(const chunk& c) noexcept;

// The first error cause of an ABORT (RFC 9260 §3.3.10) as a person reads it: "cause 12: bye". Empty when there is none.
[[nodiscard]] std::string abort_cause(base::byte_view causes);

// RFC 1982 arithmetic, as RFC 9260 §1.6 wants it for TSNs.
[[nodiscard]] constexpr bool tsn_after(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace strata::sctp
