// A candidate: a transport address at which a peer may be reached (RFC 8445 §4, §5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"

namespace strata::ice {

enum class candidate_type : std::uint8_t { host, server_reflexive, peer_reflexive, relayed };
std::string_view to_string(candidate_type t) noexcept;  // "host", "srflx", "prflx", "relay": RFC 8839 §5.1

enum class transport : std::uint8_t { udp, tcp };
std::string_view to_string(transport t) noexcept;

enum class tcp_type : std::uint8_t { active, passive, simultaneous_open };  // RFC 6544 §4.5
std::string_view to_string(tcp_type t) noexcept;

// RFC 8839 §5.1: cand-extension, a name and a value that whoever does not know them passes over.
struct extension {
  std::string name, value;
  friend bool operator==(const extension&, const extension&) = default;
};

struct candidate {
  candidate_type type = candidate_type::host;
  std::uint16_t component = 1;  // 1–256; a data session has component 1 only
  transport protocol = transport::udp;
  std::uint32_t priority = 0;               // 1–2^31-1
  std::string foundation{};                 // 1–32 ice-chars
  base::endpoint address{};                 // its IP address means nothing while `name` stands for it
  std::string name{};                       // instead of an IP address: "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"
  std::optional<base::endpoint> related{};  // raddr and rport: where the candidate was derived from
  std::optional<tcp_type> tcptype{};
  std::optional<std::uint32_t> generation{};  // browsers count restarts with it
  std::string ufrag{};                        // whose generation it belongs to, when it says so (RFC 8838 §9)
  std::vector<extension> extensions{};        // the others, in their order

  // Local candidates only, never signaled: where packets of this candidate leave from (RFC 8445 §4, "base").
  base::endpoint base_address{};

  [[nodiscard]] bool is_mdns() const noexcept;  // the name ends in ".local"
  [[nodiscard]] std::string describe() const;   // "srflx 192.0.2.1:4000", for traces and tables

  friend bool operator==(const candidate&, const candidate&) = default;
};

// A transport address is an address of one protocol.
[[nodiscard]] inline bool is_at(const candidate& c, const base::endpoint& address, transport protocol) noexcept {
  return c.address == address && c.protocol == protocol;
}

// RFC 8445 §5.1.3, RFC 8838 §9: same transport address and same base; the priority does not matter.
[[nodiscard]] bool is_redundant(const candidate& a, const candidate& b) noexcept;

}  // namespace strata::ice
