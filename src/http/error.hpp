// What can be wrong with a message, a frame or a connection.
#pragma once

#include <cstdint>
#include <system_error>

namespace strata::http {

enum class errc {
  bad_start_line = 1,
  bad_target,
  bad_version,          // not HTTP/1.0 or HTTP/1.1
  bad_line_end,         // a CR or LF that stands alone
  bad_field,            // name, value, folded line, white space before the colon
  bad_host,             // missing, twice, or no host at all
  bad_length,           // Content-Length: not a number, twice, or beside Transfer-Encoding
  bad_transfer_coding,  // anything but "chunked", once, in HTTP/1.1
  bad_chunk,
  bad_url,
  target_too_long,
  head_too_large,
  body_too_large,
  truncated,             // the stream ended inside a message
  too_slow,              // head or body did not come in time
  no_tls,                // https or wss, and nobody said how to do TLS
  too_many_interim,      // 1xx responses without an end
  bad_handshake,         // RFC 6455 §4: the other side does not speak WebSocket as it should
  upgrade_unauthorised,  // 401 or 403 instead of 101
  upgrade_not_found,     // 404
  upgrade_refused,       // any other status below 500
  upgrade_unavailable,   // 5xx
  protocol_violation,    // RFC 6455: a frame that must not be
  websocket_closed,      // the socket is closed; close_code() says why
};
const std::error_category& http_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), http_category()}; }

// The status with which a server answers a request that is wrong in this way.
[[nodiscard]] int status_of(const std::error_code& e) noexcept;

}  // namespace strata::http

template <>
struct std::is_error_code_enum<strata::http::errc> : std::true_type {};
