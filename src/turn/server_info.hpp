// A TURN server as a client knows it (RFC 7065, RFC 8656 §3.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "stun/uri.hpp"

namespace strata::turn {

enum class server_transport : std::uint8_t { udp, tcp, tls };
std::string_view to_string(server_transport t) noexcept;

struct server_info {
  std::string host;  // a name or an address
  std::uint16_t port = 3478;
  server_transport transport = server_transport::udp;
  std::string username, password;  // long-term credentials (RFC 8489 §9.2), as they were handed out
  std::string trust_file;          // tls: PEM of extra roots; empty: the system's

  [[nodiscard]] std::string name() const;  // "turn:relay.example:3478?transport=udp"
};

// "turns:" is TLS, whatever transport it names: DTLS to a server is not here. errc::not_turn for a stun: URI.
[[nodiscard]] base::result<server_info> server_from_uri(const stun::server_uri& uri, std::string username,
                                                        std::string password);
[[nodiscard]] base::result<server_info> server_from_uri(std::string_view uri, std::string username, std::string password);

}  // namespace strata::turn
