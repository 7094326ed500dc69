// The relay's own addresses. Two clients of one server talk through two of its relayed addresses, which has to work; but no
// client may be carried to the server's own door (a relay inside a relay inside a relay), nor to whatever else listens on the
// machine and trusts what comes from it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/endpoint.hpp"
#include "turn/server/peer_policy.hpp"

namespace strata::turn::server {

struct own_addresses {
  std::vector<base::ip_address> relay;     // bound and announced
  std::vector<base::ip_address> machine;   // of its interfaces
  std::vector<std::uint16_t> listening{};  // the server's ports, on whatever address
  std::uint16_t first_port = 49152, last_port = 65535;
};

// May a permission be made for this address (RFC 8656 §10.2: 403)?
[[nodiscard]] bool may_permit(const peer_policy& policy, const own_addresses& own, const base::ip_address& peer);
// May data go there? Asked again for each destination, since a permission says nothing about ports (RFC 8656 §9).
[[nodiscard]] bool may_send(const peer_policy& policy, const own_addresses& own, const base::endpoint& peer);

}  // namespace strata::turn::server
