// Default gateways out of the kernel's route tables as text: /proc/net/route and /proc/net/ipv6_route.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"

namespace strata::net {

// In the order of their metric; lines that make no sense are passed over.
//   Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT      numbers in the machine's byte order
[[nodiscard]] std::vector<base::ip_address> parse_route_gateways(std::string_view table);
//   destination prefix source prefix next-hop metric refcnt use flags device    addresses as 32 hex digits
// A link-local next hop is of use with its interface only, whose number `index_of` knows by name.
[[nodiscard]] std::vector<base::ip_address> parse_ipv6_route_gateways(
    std::string_view table, const std::function<unsigned(std::string_view)>& index_of);

}  // namespace strata::net
