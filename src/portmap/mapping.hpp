// A port of the gateway that leads to us: what was asked for and what was given.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace strata::portmap {

enum class protocol : std::uint8_t { pcp, nat_pmp, upnp };  // RFC 6887, RFC 6886, UPnP InternetGatewayDevice 1 and 2

constexpr std::string_view to_string(protocol p) noexcept {
  switch (p) {
    case protocol::pcp: return "PCP";
    case protocol::nat_pmp: return "NAT-PMP";
    case protocol::upnp: return "UPnP";
  }
  return "?";
}

struct mapping {
  base::endpoint inside;      // a UDP socket of this machine
  base::endpoint outside;     // the same as the rest of the world may send to
  base::duration lifetime{};  // as granted; zero: it lasts until it is deleted (UPnP)
  protocol by = protocol::pcp;
  base::endpoint gateway;  // who gave it

  // The outside is no address of the Internet: there is another NAT behind this one, and the mapping leads half the way.
  [[nodiscard]] bool behind_another_nat() const noexcept {
    return outside.address.is_private() || outside.address.is_link_local();
  }
  friend bool operator==(const mapping&, const mapping&) = default;
};

}  // namespace strata::portmap
