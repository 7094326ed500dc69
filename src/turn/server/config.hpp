// What a TURN server is told: who may use it, how much of it, and whom it may talk to. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"
#include "base/time.hpp"
#include "turn/server/peer_policy.hpp"

namespace strata::turn::server {

struct relay_address {
  base::ip_address bind;                        // of an interface; sockets are bound to it
  std::optional<base::ip_address> announced{};  // behind a one-to-one NAT: what clients and peers see instead

  // "192.0.2.1", or "10.0.0.1=192.0.2.1": bound and announced, of one family. nullopt: neither.
  static std::optional<relay_address> parse(std::string_view text);
  [[nodiscard]] const base::ip_address& seen() const noexcept { return announced ? *announced : bind; }
};

struct port_range {
  std::uint16_t first = 49152, last = 65535;

  static std::optional<port_range> parse(std::string_view text);  // "49152-65535"
  friend bool operator==(const port_range&, const port_range&) = default;
};

struct quotas {
  std::size_t allocations = 1024;                  // in total; beyond: 508
  std::size_t allocations_of_one_user = 16;        // beyond: 486
  std::uint64_t bytes_per_second_of_one_user = 0;  // payload, both ways together; beyond: dropped. 0: no limit
  std::size_t permissions = 128;                   // of one allocation; beyond: 508
  std::size_t channels = 128;                      // of one allocation; beyond: 508
};

struct rules_config {
  std::string realm = "strata";
  std::string software = "strata";                          // empty: none
  std::vector<std::string> secrets{};                       // REST credentials: the current secret first, then older ones
  std::map<std::string, std::string, std::less<>> users{};  // name to password, beside the REST credentials
  std::vector<relay_address> relay{};                       // at most one of each family
  std::uint16_t first_port = 49152, last_port = 65535;      // of relayed addresses
  quotas limits{};
  peer_policy peers{};
  base::duration default_lifetime = std::chrono::minutes(10);  // RFC 8656 §3.2, §7.2
  base::duration longest_lifetime = std::chrono::hours(1);
  base::duration permission_lifetime = std::chrono::minutes(5);  // §9; nothing else is allowed
  base::duration channel_lifetime = std::chrono::minutes(10);    // §12
  base::duration nonce_lifetime = std::chrono::hours(1);         // §5
  // Answers to those who have not proved who they are, for one source address: a 401 is larger than its request.
  unsigned unauthenticated_per_second = 50, unauthenticated_burst = 200;
};

}  // namespace strata::turn::server
