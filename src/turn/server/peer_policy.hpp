// Which peers a relay may talk to: the one place where that is decided. A relay that sends wherever it is told is a way into
// the network behind it: its own loopback, the cloud's metadata service at 169.254.169.254, the printers of the office.
//
// An address is judged by what it is in the end. IPv6 has half a dozen ways to write an IPv4 address, and a packet to each of
// them may arrive at that IPv4 address; so every address inside an address is judged as well, and all of them must be admitted.
//
//   ::ffff:a.b.c.d        IPv4-mapped (RFC 4291 §2.5.5.2)      2002:aabb:ccdd::/48   6to4 (RFC 3056)
//   ::a.b.c.d             IPv4-compatible (RFC 4291 §2.5.5.1)  2001::/32             Teredo (RFC 4380): server and client
//   ::ffff:0:a.b.c.d      IPv4-translated (RFC 2765)           64:ff9b::a.b.c.d      NAT64 (RFC 6052)
//   …:0:5efe:a.b.c.d      ISATAP interface identifier (RFC 5214)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"

namespace strata::turn::server {

struct address_prefix {
  base::ip_address address;
  std::uint8_t length = 0;  // bits

  // "10.0.0.0/8", "fd00::/8"; an address alone is all of its bits.
  static std::optional<address_prefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const base::ip_address& a) const noexcept;
  friend bool operator==(const address_prefix&, const address_prefix&) = default;
};

// What the registries of special-purpose addresses say (RFC 6890 and its successors). Everything but `global` is refused
// unless the policy admits it by name.
enum class address_class : std::uint8_t {
  global,
  unspecified,    // 0.0.0.0/8, ::
  loopback,       // 127.0.0.0/8, ::1
  private_use,    // RFC 1918
  shared,         // 100.64.0.0/10, between subscribers and a carrier's NAT
  link_local,     // 169.254.0.0/16, where clouds keep their metadata; fe80::/10; fec0::/10
  unique_local,   // fc00::/7
  documentation,  // RFC 5737, RFC 3849, RFC 9637
  benchmarking,   // 198.18.0.0/15, 2001:2::/48
  multicast,
  broadcast,
  reserved,  // 240.0.0.0/4, 192.0.0.0/24, 192.88.99.0/24, 100::/64, 64:ff9b:1::/48, what nobody has assigned
};
[[nodiscard]] std::string_view to_string(address_class c) noexcept;

// Of the address as it is written: addresses inside are left alone.
[[nodiscard]] address_class classify(const base::ip_address& a) noexcept;

// The addresses inside an address; empty for most.
[[nodiscard]] std::vector<base::ip_address> embedded(const base::ip_address& a);

struct peer_policy {
  std::vector<address_prefix> allowed;  // admitted though they are special
  std::vector<address_prefix> refused;  // never admitted, whatever `allowed` says

  static peer_policy everything();  // for laboratories
};

struct peer_verdict {
  bool admitted = false;
  address_class why = address_class::global;  // refused: the class of the address that spoiled it
};
[[nodiscard]] peer_verdict judge(const peer_policy& policy, const base::ip_address& peer);

}  // namespace strata::turn::server
