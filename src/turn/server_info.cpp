#include "turn/server_info.hpp"

#include "base/error.hpp"
#include "turn/error.hpp"

namespace strata::turn {

std::string_view to_string(server_transport t) noexcept {
  switch (t) {
    case server_transport::udp: return "udp";
    case server_transport::tcp: return "tcp";
    case server_transport::tls: return "tls";
  }
  return "?";
}

std::string server_info::name() const {
  const bool v6_literal = host.find(':') != std::string::npos;
  std::string text = transport == server_transport::tls ? "turns:" : "turn:";
  text += v6_literal ? "[" + host + "]" : host;
  text += ":" + std::to_string(port) + "?transport=";
  return text += transport == server_transport::udp ? "udp" : "tcp";
}

base::result<server_info> server_from_uri(const stun::server_uri& uri, std::string username, std::string password) {
  if (!uri.turn) return base::fail(errc::not_turn);
  // RFC 7065 §3: turns over UDP would be DTLS, which hardly any server offers; what is meant is TLS.
  const auto over = uri.secure                                               ? server_transport::tls
                    : uri.transport == stun::server_uri::transport_kind::tcp ? server_transport::tcp
                                                                             : server_transport::udp;
  return server_info{uri.host, uri.port, over, std::move(username), std::move(password), {}};
}

base::result<server_info> server_from_uri(std::string_view text, std::string username, std::string password) {
  const auto uri = stun::server_uri::parse(text);
  if (!uri) return base::fail(uri.error());
  return server_from_uri(*uri, std::move(username), std::move(password));
}

}  // namespace strata::turn
