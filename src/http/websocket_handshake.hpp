// The opening handshake (RFC 6455 §4) as values: what a client asks, what a server answers, and how each checks the other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/head.hpp"
#include "http/message.hpp"

namespace strata::http {

// RFC 6455 §4.2.2: base64 of SHA-1 of the key and the GUID of the protocol.
[[nodiscard]] std::string websocket_accept_key(std::string_view key);

// Does the request ask for a WebSocket: GET with Upgrade: websocket. Whether it asks rightly is accept_websocket()'s part.
[[nodiscard]] bool asks_for_websocket(const request& r) noexcept;

// A server's answer: 101 with everything in it, or 426 (another version, no upgrade asked), or 400. Subprotocols: the
// first of the client's list that is among ours is chosen; without one the response names none. No extensions.
[[nodiscard]] response accept_websocket(const request& r, std::span<const std::string> subprotocols = {});
// RFC 6455 §10.2: the same for a service that browsers reach: 403 unless Origin is absent (no browser) or in the list.
[[nodiscard]] response accept_websocket_from(const request& r, std::span<const std::string> origins,
                                             std::span<const std::string> subprotocols = {});

struct websocket_offer {
  std::string key;  // base64 of 16 random octets
  fields headers;   // of the request, Host excepted
};
[[nodiscard]] websocket_offer offer_websocket(std::span<const std::uint8_t, 16> random,
                                              std::span<const std::string> subprotocols, const fields& extra);
// What the server chose; empty for no subprotocol. Errors: upgrade_* for a status other than 101, bad_handshake.
[[nodiscard]] base::result<std::string> check_websocket_answer(const response_head& head, const websocket_offer& offer,
                                                               std::span<const std::string> subprotocols);

}  // namespace strata::http
