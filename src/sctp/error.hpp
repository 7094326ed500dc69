// Why an SCTP association did not come to be, ended, or did not take a message.
#pragma once

#include <system_error>

namespace strata::sctp {

enum class errc {
  connect_failed = 1,  // no answer to INIT or COOKIE ECHO, or the library refused; reason() says more
  not_connected,       // send before the association stands
  closed,              // shut down, from either side, or abort() was called here
  aborted,             // the peer sent ABORT
  lost,                // too many retransmissions without an answer
  no_such_stream,      // the stream id is not below the negotiated number of streams
  no_room,             // try_send: the bounded buffer is full
  empty_message,       // SCTP carries no empty user messages (RFC 9260 §3.3.1)
};
const std::error_category& sctp_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), sctp_category()}; }

}  // namespace strata::sctp

template <>
struct std::is_error_code_enum<strata::sctp::errc> : std::true_type {};
