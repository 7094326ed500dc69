#include "turn/server/config.hpp"

#include "base/endpoint.hpp"

namespace strata::turn::server {

std::optional<relay_address> relay_address::parse(std::string_view text) {
  const auto equals = text.find('=');
  const auto bind = base::ip_address::parse(text.substr(0, equals));
  if (!bind || bind->is_unspecified()) return std::nullopt;
  relay_address r{*bind};
  if (equals == std::string_view::npos) return r;
  r.announced = base::ip_address::parse(text.substr(equals + 1));
  if (!r.announced || r.announced->is_unspecified() || r.announced->family() != bind->family()) return std::nullopt;
  return r;
}

std::optional<port_range> port_range::parse(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = base::parse_port(text.substr(0, dash)), last = base::parse_port(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *first > *last) return std::nullopt;
  return port_range{*first, *last};
}

}  // namespace strata::turn::server
