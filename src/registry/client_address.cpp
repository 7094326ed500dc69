#include "registry/client_address.hpp"

#include <algorithm>
#include <optional>

#include "base/endpoint.hpp"

namespace strata::registry {
namespace {

constexpr int most_hops = 32;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "192.0.2.1", "2001:db8::1", and with a port, which some proxies add.
std::optional<base::ip_address> hop_address(std::string_view text) {
  if (const auto bare = base::ip_address::parse(text)) return bare->unmapped();
  if (text.starts_with('[') && text.ends_with(']')) {
    const auto inside = base::ip_address::parse(text.substr(1, text.size() - 2));
    return inside && inside->is_v6() ? std::optional(inside->unmapped()) : std::nullopt;
  }
  if (const auto with_port = base::endpoint::parse(text)) return with_port->address.unmapped();
  return std::nullopt;
}

}  // namespace

client_address find_client(const base::ip_address& tcp_peer, std::span<const std::string_view> forwarded_for,
                           bool forwarded_otherwise, std::span<const turn::server::address_prefix> trusted) {
  const auto is_trusted = [&](const base::ip_address& a) {
    return std::ranges::any_of(trusted, [&](const auto& prefix) { return prefix.contains(a); });
  };
  client_address client{tcp_peer.unmapped(), forwarded_for.empty() && !forwarded_otherwise};
  int hops = 0;
  for (std::size_t field = forwarded_for.size(); field-- > 0;) {
    for (auto rest = forwarded_for[field];;) {
      if (!is_trusted(client.address)) return client;
      const auto comma = rest.rfind(',');
      const auto hop = hop_address(trimmed(comma == rest.npos ? rest : rest.substr(comma + 1)));
      // "unknown", a name, nonsense: the trusted hop that wrote it is the last that we know of.
      if (!hop || ++hops > most_hops) return client;
      client.address = *hop;
      if (comma == rest.npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return client;
}

}  // namespace strata::registry
