// The places where people's machines stand, made of routers and firewalls. put() makes one, with a host in it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/network.hpp"

namespace strata::sim {

enum class place_kind : std::uint8_t {
  public_address,        // dual stack, nothing in the way
  full_cone,             // the classical names of RFC 3489 §5: mapping endpoint-independent, filtering none,
  address_restricted,    // by address,
  port_restricted,       // by address and port;
  symmetric_sequential,  // mapping by address and port, ports one after the other,
  symmetric_random,      // or any
  cgnat_over_home,       // two NATs, both port-restricted
  same_nat_hairpin,      // all of these share one NAT, which joins them only through its outside address
  nat64,                 // IPv6 only inside, IPv4 through a translator
  ipv6_only,             // IPv6 behind a stateful firewall, no IPv4 at all
  udp_blocked,           // TCP to any port
  only_tcp_443,          // TCP to port 443
  mapping_timeout_30s,   // port-restricted, and forgets after half a minute
  mtu_1280,              // port-restricted, and loses what is larger
};

inline constexpr std::array all_places = {place_kind::public_address,
                                          place_kind::full_cone,
                                          place_kind::address_restricted,
                                          place_kind::port_restricted,
                                          place_kind::symmetric_sequential,
                                          place_kind::symmetric_random,
                                          place_kind::cgnat_over_home,
                                          place_kind::same_nat_hairpin,
                                          place_kind::nat64,
                                          place_kind::ipv6_only,
                                          place_kind::udp_blocked,
                                          place_kind::only_tcp_443,
                                          place_kind::mapping_timeout_30s,
                                          place_kind::mtu_1280};

[[nodiscard]] std::string_view to_string(place_kind k) noexcept;  // "port restricted"

// A host of its own in a place of its own; `number`, below 200, makes the addresses: outside 203.0.113.<number> and
// 2001:db8:<number>::/48, inside 10.0.0.2 or 192.168.<number>.2. The routers are named after the host: "<name> router", and
// "<name> carrier" above it.
host& put(network& n, place_kind k, const std::string& name, unsigned number);

// What ought to be found between two of them when there is a relay: RFC 4787 and arithmetic.
enum class tier : std::uint8_t { direct, relay };
[[nodiscard]] std::string_view to_string(tier t) noexcept;
[[nodiscard]] tier best_tier(place_kind a, place_kind b) noexcept;

}  // namespace strata::sim
