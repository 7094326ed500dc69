// The WebSocket frame (RFC 6455 §5.2).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-------+-+-------------+-------------------------------+
//   |F|R|R|R| opcode|M| length  7   |  length 16 if the 7 are 126   |
//   |I|S|S|S|       |A|             |  length 64 if they are 127    |
//   |N|1|2|3|       |S|             |                               |
//   +-+-+-+-+-------+K+-------------+ - - - - - - - - - - - - - - - +
//   |  the rest of a 64-bit length                                  |
//   + - - - - - - - - - - - - - - - +-------------------------------+
//   |                               |  masking key, if MASK is set  |
//   +-------------------------------+-------------------------------+
//   |  masking key (rest)           |  payload ...                  |
//   +-------------------------------- - - - - - - - - - - - - - - - +
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/error.hpp"

namespace strata::http {

enum class opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
constexpr bool is_control(opcode o) noexcept { return static_cast<std::uint8_t>(o) >= 8; }

using masking_key = std::array<std::uint8_t, 4>;

struct frame_header {
  bool fin = true;
  opcode op = opcode::text;
  std::uint64_t length = 0;
  std::optional<masking_key> mask;

  friend bool operator==(const frame_header&, const frame_header&) = default;
};

inline constexpr std::size_t longest_frame_header = 14;
inline constexpr std::size_t longest_control_payload = 125;  // RFC 6455 §5.5

struct parsed_header {
  frame_header header;
  std::size_t size = 0;  // octets the header took
};
// Nothing: more octets are needed. Errors: protocol_violation (reserved bits, unknown opcode, a length that is not in
// its shortest form or has its top bit set, a control frame that is fragmented or longer than 125 octets).
[[nodiscard]] base::result<std::optional<parsed_header>> parse_frame_header(base::byte_view data);
void write_frame_header(base::bytes& out, const frame_header& h);

// RFC 6455 §5.3: octet i is combined with key octet (i + offset) mod 4. Masking and unmasking are the same.
void apply_mask(base::byte_span data, const masking_key& key, std::size_t offset = 0) noexcept;

// One whole unfragmented frame.
[[nodiscard]] base::bytes make_frame(opcode op, base::byte_view payload, const std::optional<masking_key>& mask = {});

// RFC 6455 §7.4.1
enum class close_code : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  // said locally when a Close had no body; never on the wire
  abnormal = 1006,   // said locally when the connection just ended; never on the wire
  invalid_payload = 1007,
  policy_violation = 1008,
  too_large = 1009,
  mandatory_extension = 1010,
  internal_error = 1011,
  service_restart = 1012,  // 1012-1014: IANA registry
  try_again_later = 1013,
  bad_gateway = 1014,
};
// RFC 6455 §7.4: may this number stand in a Close frame.
[[nodiscard]] constexpr bool is_sendable(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
}

struct close_body {
  std::uint16_t code = static_cast<std::uint16_t>(close_code::no_status);
  std::string_view reason;  // UTF-8, borrowed
};
// Errors: protocol_violation (one octet, a code that must not be sent, a reason that is not UTF-8).
[[nodiscard]] base::result<close_body> parse_close(base::byte_view payload);
// The reason is cut to what fits, at a character.
[[nodiscard]] base::bytes make_close_body(std::uint16_t code, std::string_view reason);

}  // namespace strata::http
