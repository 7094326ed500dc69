#include "base/endpoint.hpp"

#include <charconv>

namespace strata::base {

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || trouble != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return port;
}

std::optional<host_port> host_port::parse(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close == text.npos || close == 1) return std::nullopt;
    host_port hp{std::string(text.substr(1, close - 1)), std::nullopt};
    const auto rest = text.substr(close + 1);
    if (rest.empty()) return hp;
    if (rest.front() != ':' || !(hp.port = parse_port(rest.substr(1)))) return std::nullopt;
    return hp;
  }
  const auto colon = text.find(':');
  if (colon == text.npos) return host_port{std::string(text), std::nullopt};
  if (text.find(':', colon + 1) != text.npos) return host_port{std::string(text), std::nullopt};  // bare IPv6
  host_port hp{std::string(text.substr(0, colon)), parse_port(text.substr(colon + 1))};
  if (hp.host.empty() || !hp.port) return std::nullopt;
  return hp;
}

std::optional<endpoint> endpoint::parse(std::string_view text) {
  const auto parts = host_port::parse(text);
  if (!parts || !parts->port) return std::nullopt;
  const auto address = ip_address::parse(parts->host);
  if (!address || (address->is_v6() != (text.front() == '['))) return std::nullopt;
  return endpoint{*address, *parts->port};
}

std::string endpoint::to_string() const {
  const auto text = address.to_string();
  return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

}  // namespace strata::base
