// Which addresses of this machine become host candidates, and in which order (RFC 8445 §5.1.1.1, RFC 8421 §4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"
#include "ice/interface_list.hpp"

namespace strata::ice {

// What the machine says about one of its addresses.
struct network_address {
  std::string interface{};
  std::uint32_t index = 0;
  base::ip_address address{};
  std::uint8_t prefix_length = 0;
  bool up = true;
  bool loopback = false;
  bool temporary = false;   // RFC 8981
  bool deprecated = false;  // RFC 4862
  bool multicast = false;
};

struct gather_options {
  bool ipv6 = true;
  bool allow_loopback = false;
  std::size_t max_addresses = 32;
  interface_list interfaces{};
};

struct planned_base {
  network_address from;
  std::uint16_t local_preference = 65535;
};

// Why an address is no candidate; nothing when it is one. For traces and for people who wonder.
[[nodiscard]] std::optional<std::string_view> why_not(const network_address& a, std::span<const network_address> all,
                                                      const gather_options& o);
// Best first, each with its own local preference; 256 apart, so that candidates derived from one base through several
// servers fit between it and the next (RFC 8445 §5.1.2.1: unique for each type).
[[nodiscard]] std::vector<planned_base> plan_bases(std::span<const network_address> all, const gather_options& o);

// RFC 8421 §4: the order in which n4 IPv4 and n6 IPv6 addresses take turns; true is IPv6. IPv6 gets a head start of
// (n4 + n6) / n4, then one IPv4 follows, and so on, so that a broken family costs a few checks and not all of them.
[[nodiscard]] std::vector<bool> interleave(std::size_t n4, std::size_t n6);

// Whether a server can say anything about a base.
[[nodiscard]] bool worth_asking(const base::ip_address& base_address, const base::ip_address& server) noexcept;

}  // namespace strata::ice
