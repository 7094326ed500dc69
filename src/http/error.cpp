#include "http/error.hpp"

#include <string>

namespace strata::http {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "http"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::bad_start_line: return "the first line is malformed";
      case errc::bad_target: return "the request target is malformed";
      case errc::bad_version: return "not HTTP/1.1";
      case errc::bad_line_end: return "a line does not end with CR LF";
      case errc::bad_field: return "a field is malformed";
      case errc::bad_host: return "Host is missing, repeated or malformed";
      case errc::bad_length: return "Content-Length is ambiguous or malformed";
      case errc::bad_transfer_coding: return "the transfer coding is not supported";
      case errc::bad_chunk: return "the chunked body is malformed";
      case errc::bad_url: return "the URL is malformed";
      case errc::target_too_long: return "the request target is too long";
      case errc::head_too_large: return "the head is too large";
      case errc::body_too_large: return "the body is too large";
      case errc::truncated: return "the connection ended inside a message";
      case errc::too_slow: return "the message did not arrive in time";
      case errc::no_tls: return "TLS is needed and was not configured";
      case errc::too_many_interim: return "interim responses without end";
      case errc::bad_handshake: return "the WebSocket handshake is malformed";
      case errc::upgrade_unauthorised: return "the server refused the WebSocket: not authorised";
      case errc::upgrade_not_found: return "the server has no WebSocket at this address";
      case errc::upgrade_refused: return "the server refused the WebSocket";
      case errc::upgrade_unavailable: return "the server cannot serve the WebSocket now";
      case errc::protocol_violation: return "the peer broke the WebSocket protocol";
      case errc::websocket_closed: return "the WebSocket is closed";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& http_category() noexcept {
  static const category instance;
  return instance;
}

int status_of(const std::error_code& e) noexcept {
  if (e.category() != http_category()) return 500;
  switch (static_cast<errc>(e.value())) {
    case errc::bad_version: return 505;
    case errc::bad_transfer_coding: return 501;
    case errc::target_too_long: return 414;
    case errc::head_too_large: return 431;
    case errc::body_too_large: return 413;
    case errc::too_slow: return 408;
    default: return 400;
  }
}

}  // namespace strata::http
