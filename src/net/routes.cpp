#include "net/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include "base/hex.hpp"

namespace strata::net {
namespace {

constexpr std::uint32_t route_up = 0x1, route_gateway = 0x2, route_reject = 0x200;
using columns = std::vector<std::string_view>;
using by_metric = std::multimap<std::uint32_t, base::ip_address>;  // equals stay in the order of the table

columns split(std::string_view line) {
  columns all;
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(" \t", at);
    if (at == std::string_view::npos) return all;
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    all.push_back(line.substr(at, end - at));
    at = end;
  }
}

template <class F>
void each_line(std::string_view table, F&& f) {
  while (!table.empty()) {
    const auto end = std::min(table.find('\n'), table.size());
    f(split(table.substr(0, end)));
    table.remove_prefix(std::min(end + 1, table.size()));
  }
}

std::optional<std::uint32_t> number(std::string_view text, int radix) {
  std::uint32_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<base::ip_address> ordered(const by_metric& found) {
  std::vector<base::ip_address> all;
  for (const auto& [metric, address] : found)
    if (std::ranges::find(all, address) == all.end()) all.push_back(address);
  return all;
}

}  // namespace

std::vector<base::ip_address> parse_route_gateways(std::string_view table) {
  by_metric found;
  each_line(table, [&](const columns& c) {
    if (c.size() < 8) return;
    const auto destination = number(c[1], 16), gateway = number(c[2], 16), flags = number(c[3], 16), mask = number(c[7], 16);
    const auto metric = number(c[6], 10);
    if (!destination || !gateway || !flags || !mask || !metric) return;
    if (*destination != 0 || *mask != 0 || *gateway == 0) return;
    if ((*flags & (route_up | route_gateway | route_reject)) != (route_up | route_gateway)) return;
    // The kernel prints the four octets as one number of this machine, and every machine this runs on is little-endian.
    const auto g = *gateway;
    found.emplace(*metric, base::ip_address::v4(static_cast<std::uint8_t>(g), static_cast<std::uint8_t>(g >> 8),
                                                static_cast<std::uint8_t>(g >> 16), static_cast<std::uint8_t>(g >> 24)));
  });
  return ordered(found);
}

std::vector<base::ip_address> parse_ipv6_route_gateways(std::string_view table,
                                                        const std::function<unsigned(std::string_view)>& index_of) {
  by_metric found;
  each_line(table, [&](const columns& c) {
    if (c.size() < 10 || number(c[1], 16) != 0u) return;
    const auto next_hop = base::from_hex(c[4]);
    const auto metric = number(c[5], 16), flags = number(c[8], 16);
    if (!next_hop || next_hop->size() != 16 || !metric || !flags) return;
    if ((*flags & (route_up | route_gateway | route_reject)) != (route_up | route_gateway)) return;
    std::array<std::uint8_t, 16> octets{};
    std::ranges::copy(*next_hop, octets.begin());
    auto address = base::ip_address::v6(octets);
    if (address.is_unspecified()) return;
    if (address.is_link_local()) address = base::ip_address::v6(octets, index_of(c[9]));
    found.emplace(*metric, address);
  });
  return ordered(found);
}

}  // namespace strata::net
