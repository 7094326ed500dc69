// What a TURN server has done, for operators and tests.
#pragma once

#include <cstdint>
#include <map>

namespace strata::turn::server {

struct counters {
  std::uint64_t requests = 0, answered = 0, bindings = 0;
  std::map<int, std::uint64_t> refused{};                  // error answers by code; codes are ours, so there are few
  std::uint64_t allocated = 0, expired = 0, released = 0;  // allocations
  std::uint64_t dropped_malformed = 0, dropped_not_expected = 0, dropped_rate_limited = 0;
  std::uint64_t dropped_no_allocation = 0, dropped_no_permission = 0, dropped_no_channel = 0, dropped_peer_refused = 0;
  std::uint64_t dropped_over_quota = 0, dropped_outbox_full = 0;
  std::uint64_t to_peers = 0, to_peers_bytes = 0, from_peers = 0, from_peers_bytes = 0;
  std::uint64_t reports = 0;  // of the network about peers that cannot be reached, passed on
  std::uint64_t connections = 0, connections_refused = 0;
};

}  // namespace strata::turn::server
