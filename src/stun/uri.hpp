// "stun:" and "stuns:" addresses of servers (RFC 7064, RFC 8489 §8), and the same of TURN (RFC 7065).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "stun/error.hpp"

namespace strata::stun {

struct server_uri {
  enum class transport_kind : std::uint8_t { udp, tcp };

  bool turn = false;
  bool secure = false;  // stuns, turns: over TLS (or DTLS)
  std::string host;     // a name or an address literal, without brackets
  std::uint16_t port = 3478;
  transport_kind transport = transport_kind::udp;
  bool any_transport = true;  // none was named: RFC 5928 §3 lets the client try all it has

  // "stun:host[:port]", "turn:host[:port][?transport=udp|tcp]". errc::bad_value with the offset.
  [[nodiscard]] static base::result<server_uri> parse(std::string_view text);
};

}  // namespace strata::stun
