// A message of a channel, and how a channel treats its messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace strata::datachannel {

struct message {
  base::bytes data;   // may be empty
  bool text = false;  // text is UTF-8 by agreement; it is not checked
};

// RFC 8831 §6.4 names the steps; any number is sent as it is.
enum class priority : std::uint16_t { below_normal = 128, normal = 256, high = 512, extra_high = 1024 };

// As the W3C's RTCDataChannelInit.
struct channel_options {
  std::string label = {};
  std::string protocol = {};
  bool ordered = true;
  std::optional<std::uint16_t> max_retransmits = {};  // at most one of these two
  std::optional<std::uint16_t> max_lifetime = {};     // milliseconds
  std::optional<std::uint16_t> id = {};               // negotiated channels only; others get one by the DTLS role
  bool negotiated = false;                            // both sides make it by themselves; no DCEP
  datachannel::priority priority = datachannel::priority::normal;
};

}  // namespace strata::datachannel
