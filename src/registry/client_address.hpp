// Who a request really comes from when there may be proxies in front. Pure.
#pragma once

#include <span>
#include <string_view>

#include "base/ip_address.hpp"
#include "turn/server/peer_policy.hpp"

namespace strata::registry {

struct client_address {
  base::ip_address address;
  // Nobody in between, as far as one can see. Only then does a loopback address mean a program on this machine: a proxy that
  // nobody told us about would otherwise turn the whole Internet into one.
  bool direct = true;

  [[nodiscard]] bool local() const noexcept { return direct && address.is_loopback(); }
};

// `forwarded_for` holds the X-Forwarded-For fields in their order. They are believed only when the TCP peer is a trusted proxy,
// and then from the right, hop by hop, as long as the hop that wrote them is one: what stands further left is the client's own
// invention. `forwarded_otherwise`: a Forwarded, X-Real-IP or Via field is there.
[[nodiscard]] client_address find_client(const base::ip_address& tcp_peer, std::span<const std::string_view> forwarded_for,
                                         bool forwarded_otherwise, std::span<const turn::server::address_prefix> trusted);

}  // namespace strata::registry
