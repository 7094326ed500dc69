// The numbers that put candidates and pairs in order (RFC 8445 §5.1.2, §6.1.2.3).
#pragma once

#include <algorithm>
#include <cstdint>

#include "ice/candidate.hpp"

namespace strata::ice {

// RFC 8445 §5.1.2.2: 0–126; peer-reflexive above server-reflexive, since a check has shown that it works.
[[nodiscard]] constexpr std::uint32_t type_preference(candidate_type t) noexcept {
  switch (t) {
    case candidate_type::host: return 126;
    case candidate_type::peer_reflexive: return 110;
    case candidate_type::server_reflexive: return 100;
    case candidate_type::relayed: return 0;
  }
  return 0;
}

// RFC 8445 §5.1.2.1:
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |0| type pref.  |       local preference        | 256-component |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
[[nodiscard]] constexpr std::uint32_t candidate_priority(candidate_type t, std::uint16_t local_preference,
                                                         std::uint16_t component = 1) noexcept {
  return type_preference(t) << 24 | std::uint32_t{local_preference} << 8 | (256u - component);
}
[[nodiscard]] constexpr std::uint16_t local_preference_of(std::uint32_t priority) noexcept {
  return static_cast<std::uint16_t>(priority >> 8);
}

// RFC 8445 §7.1.1: what a check says in PRIORITY: the sender's priority if the check discovers a peer-reflexive candidate.
// Over TCP: RFC 6544 §4.2, §7.1.
[[nodiscard]] constexpr std::uint32_t tcp_priority(candidate_type t, tcp_type d, std::uint16_t other) noexcept;
[[nodiscard]] constexpr std::uint32_t peer_reflexive_priority(const candidate& local) noexcept {
  if (local.protocol == transport::tcp)
    return tcp_priority(candidate_type::peer_reflexive, local.tcptype.value_or(tcp_type::active),
                        local_preference_of(local.priority) & 8191);
  return candidate_priority(candidate_type::peer_reflexive, local_preference_of(local.priority), local.component);
}

// RFC 6544 §4.2: the direction is in the local preference, three bits of it, and 8191 addresses are told apart by the rest. A
// check leaves active candidates most easily; through NATs simultaneous open does. Others that a machine has come after these.
[[nodiscard]] constexpr std::uint16_t tcp_direction_preference(candidate_type t, tcp_type d) noexcept {
  const bool mapped = t == candidate_type::server_reflexive || t == candidate_type::peer_reflexive;
  switch (d) {
    case tcp_type::active: return mapped ? 4 : 6;
    case tcp_type::passive: return mapped ? 2 : 4;
    case tcp_type::simultaneous_open: return mapped ? 6 : 2;
  }
  return 0;
}
[[nodiscard]] constexpr std::uint16_t tcp_local_preference(candidate_type t, tcp_type d, std::uint16_t other) noexcept {
  return static_cast<std::uint16_t>(tcp_direction_preference(t, d) << 13 | std::min<std::uint16_t>(other, 8191));
}
// UDP is better for data than TCP: a TCP candidate of any kind comes after the UDP ones of its kind, and before a relay.
[[nodiscard]] constexpr std::uint32_t tcp_type_preference(candidate_type t) noexcept {
  switch (t) {
    case candidate_type::host: return 90;
    case candidate_type::peer_reflexive: return 80;
    case candidate_type::server_reflexive: return 70;
    case candidate_type::relayed: return 0;
  }
  return 0;
}
[[nodiscard]] constexpr std::uint32_t tcp_priority(candidate_type t, tcp_type d, std::uint16_t other) noexcept {
  return tcp_type_preference(t) << 24 | std::uint32_t{tcp_local_preference(t, d, other)} << 8 | 255u;
}

// RFC 8445 §6.1.2.3: G is the controlling side's candidate, D the controlled side's. Both sides compute the same.
[[nodiscard]] constexpr std::uint64_t pair_priority(std::uint32_t g, std::uint32_t d) noexcept {
  return (std::uint64_t{std::min(g, d)} << 32) + 2 * std::uint64_t{std::max(g, d)} + (g > d ? 1 : 0);
}
[[nodiscard]] constexpr std::uint64_t pair_priority(bool controlling, const candidate& local,
                                                    const candidate& remote) noexcept {
  return controlling ? pair_priority(local.priority, remote.priority) : pair_priority(remote.priority, local.priority);
}

static_assert(candidate_priority(candidate_type::host, 65535) == 2130706431);
static_assert(type_preference(candidate_type::peer_reflexive) > type_preference(candidate_type::server_reflexive));

}  // namespace strata::ice
