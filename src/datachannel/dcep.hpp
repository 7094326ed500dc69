// The Data Channel Establishment Protocol (RFC 8832): two messages, on the stream of the channel they speak of.
//
// DATA_CHANNEL_OPEN (§5.1)
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |    type = 3   |  channel type |            priority           |
//   |                     reliability parameter                     |
//   |          label length         |        protocol length        |
//   |                             label                             |
//   |                            protocol                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// DATA_CHANNEL_ACK (§5.2) is the single octet 2.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "datachannel/error.hpp"
#include "datachannel/message.hpp"

namespace strata::datachannel {

enum class dcep_type : std::uint8_t { ack = 2, open = 3 };

enum class channel_type : std::uint8_t {
  reliable = 0x00,
  partial_rexmit = 0x01,
  partial_timed = 0x02,
  reliable_unordered = 0x80,
  partial_rexmit_unordered = 0x81,
  partial_timed_unordered = 0x82,
};

struct open_message {
  channel_type type = channel_type::reliable;
  std::uint16_t priority = 0;
  std::uint32_t reliability_parameter = 0;  // retransmissions or milliseconds; means nothing for the reliable types
  std::string label, protocol;
  friend bool operator==(const open_message&, const open_message&) = default;
};
struct ack_message {
  friend bool operator==(const ack_message&, const ack_message&) = default;
};
using dcep_message = std::variant<open_message, ack_message>;

// Strict: the lengths must add up to the message, the texts must be UTF-8.
[[nodiscard]] base::result<dcep_message> parse_dcep(base::byte_view data);
[[nodiscard]] base::bytes format(const open_message& m);  // label and protocol: at most 65535 octets each
[[nodiscard]] base::bytes format(const ack_message& m);

// Limits above 65535, which the W3C's numbers cannot hold, become 65535.
[[nodiscard]] channel_options options_of(const open_message& m);
[[nodiscard]] open_message open_of(const channel_options& o);

}  // namespace strata::datachannel
