// Why a data channel did not open, ended, or did not take a message; and what is wrong with a DCEP message.
#pragma once

#include <system_error>

namespace strata::datachannel {

enum class errc {
  closed = 1,            // by either side, or with its association
  too_large,             // longer than the peer accepts (RFC 8841 §6), or than we do
  invalid_options,       // two reliability limits at once, a text that is too long, no id for a negotiated channel
  id_in_use,             // RFC 8831 §6.5: the stream already carries a channel
  no_free_id,            // all stream ids of our parity are in use
  no_such_stream,        // the association has fewer streams
  refused,               // the peer reset the stream instead of opening the channel
  truncated,             // DCEP: shorter than its fields say
  trailing_octets,       // DCEP: longer than its fields say
  unknown_message_type,  // DCEP: neither OPEN nor ACK
  unknown_channel_type,  // DCEP: RFC 8832 §8.2.2 does not list it
  not_utf8,              // DCEP: label or protocol
};
const std::error_category& datachannel_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), datachannel_category()}; }

}  // namespace strata::datachannel

template <>
struct std::is_error_code_enum<strata::datachannel::errc> : std::true_type {};
