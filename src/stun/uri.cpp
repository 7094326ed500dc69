#include "stun/uri.hpp"

#include <algorithm>

#include "base/endpoint.hpp"

namespace strata::stun {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

}  // namespace

base::result<server_uri> server_uri::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto scheme = text.substr(0, colon == text.npos ? 0 : colon);
  server_uri uri;
  if (equal_ignoring_case(scheme, "stuns") || equal_ignoring_case(scheme, "turns")) uri.secure = true;
  else if (!equal_ignoring_case(scheme, "stun") && !equal_ignoring_case(scheme, "turn")) {
    return base::fail(errc::bad_value, 0, "stun:, stuns:, turn: or turns:");
  }
  uri.turn = (scheme[0] | 0x20) == 't';
  auto rest = text.substr(colon + 1);
  if (const auto query = rest.find('?'); query != rest.npos) {
    const auto parameter = rest.substr(query + 1);
    const auto at = colon + 1 + query;
    if (!uri.turn) return base::fail(errc::bad_value, at, "no parameters");
    uri.any_transport = false;
    if (parameter == "transport=tcp") uri.transport = transport_kind::tcp;
    else if (parameter != "transport=udp") return base::fail(errc::bad_value, at, "transport=udp or transport=tcp");
    rest = rest.substr(0, query);
  }
  const auto where = base::host_port::parse(rest);
  if (!where || where->host.empty() || where->host.find_first_of("/@ ") != std::string::npos) {
    return base::fail(errc::bad_value, colon + 1, "a host, or host:port");
  }
  uri.host = where->host;
  // RFC 8489 §8.1: the certificate has to name a host, and an address has no name.
  if (uri.secure && base::ip_address::parse(uri.host)) return base::fail(errc::bad_value, colon + 1, "a name, not an address");
  uri.port = where->port.value_or(uri.secure ? 5349 : 3478);
  if (uri.port == 0) return base::fail(errc::bad_value, colon + 1, "a port from 1 to 65535");
  return uri;
}

}  // namespace strata::stun
