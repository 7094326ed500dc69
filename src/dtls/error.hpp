// Why a DTLS association did not come to be, or ended.
#pragma once

#include <system_error>

namespace strata::dtls {

enum class errc {
  handshake_failed = 1,  // the two sides do not fit, or the peer broke the protocol; reason() says how
  fingerprint_mismatch,  // the peer's certificate is not the one that signaling promised
  no_peer_certificate,   // RFC 8122 §6.2: both sides must show one
  fatal_alert,           // the peer gave up; reason() says with which alert
  timed_out,             // no answer after the last retransmission, or the limit for the whole handshake
  closed,                // close_notify arrived, or close() was called
};
const std::error_category& dtls_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), dtls_category()}; }

}  // namespace strata::dtls

template <>
struct std::is_error_code_enum<strata::dtls::errc> : std::true_type {};
