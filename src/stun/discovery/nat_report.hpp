// What is between this machine and the Internet, as far as servers can tell: one value, judged from observations
// (nat_judge.hpp), printed as a line, a table or JSON (nat_print.hpp), and asked for what to expect (nat_forecast.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace strata::stun {

enum class finding : std::uint8_t { unknown, no, yes };

// RFC 4787 §4.1: of what the outside address of a socket depends.
enum class mapping_kind : std::uint8_t {
  unknown,
  no_nat,                      // the outside address is one of this machine's
  endpoint_independent,        // of nothing: a peer may be told of it
  address_dependent,           // of the peer's address
  address_and_port_dependent,  // of the peer's address and port
  dependent,                   // of one or both: servers without RFC 5780 do not tell
};

// RFC 4787 §5: whose packets come in through a mapping.
enum class filtering_kind : std::uint8_t {
  unknown,
  endpoint_independent,        // everybody's
  address_dependent,           // those of addresses that were sent to
  address_and_port_dependent,  // those of addresses and ports that were sent to
};

// RFC 4787 §4.2: which outside port a socket gets.
enum class port_kind : std::uint8_t {
  unknown,
  preserving,  // its own
  sequential,  // the next one
  random,
};

// The names of RFC 3489 §5, which people still ask for.
enum class nat_name : std::uint8_t {
  unknown,                 // too little was learnt
  offline,                 // no server answers, over nothing
  udp_blocked,             // servers answer over TCP only
  open_internet,           // no NAT, nothing filtered
  no_nat,                  // no NAT; what is filtered is unknown
  symmetric_udp_firewall,  // no NAT; only those get in who were sent to
  full_cone,
  restricted_cone,
  port_restricted_cone,
  cone,  // the mapping is endpoint-independent; what is filtered is unknown
  symmetric,
};

struct server_answer {
  base::endpoint server;
  bool udp = false, tcp = false;
  bool discovery = false;             // RFC 5780: it has another address
  std::optional<base::duration> rtt;  // over UDP
  std::string trouble;                // why there is no answer, or no use in it
};

struct nat_report {
  finding udp = finding::unknown, tcp = finding::unknown;
  finding ipv4 = finding::unknown, ipv6 = finding::unknown;
  base::endpoint local;                  // the address is the machine's own where that is known
  std::optional<base::endpoint> mapped;  // of that socket, as a server sees it
  std::optional<base::endpoint> mapped_ipv6;

  mapping_kind mapping = mapping_kind::unknown;
  filtering_kind filtering = filtering_kind::unknown;
  finding hairpin = finding::unknown;  // RFC 4787 §6: two machines behind the NAT reach each other by outside addresses
  finding preserves_port = finding::unknown;
  port_kind ports = port_kind::unknown;
  int port_step = 0;                               // between the ports of one socket and the next, when sequential
  finding one_outside_address = finding::unknown;  // RFC 4787 §4.1: all sockets of this machine share it ("paired")
  finding rewrites_addresses = finding::unknown;   // something on the way changes addresses inside messages
  finding second_nat = finding::unknown;           // a carrier's, most of the time
  std::string second_nat_reason;                   // what makes one think so
  std::optional<base::endpoint> port_mapping;      // what the gateway gives on request
  std::string port_mapping_protocol;
  // Mappings live at least so long without traffic, and not longer than that (zero: no end was found).
  struct lifetime_range {
    base::duration at_least{}, at_most{};
  };
  std::optional<lifetime_range> lifetime;
  std::vector<server_answer> servers;

  [[nodiscard]] nat_name name() const noexcept;
};

std::string_view to_string(finding f) noexcept;
std::string_view to_string(mapping_kind m) noexcept;
std::string_view to_string(filtering_kind f) noexcept;
std::string_view to_string(port_kind p) noexcept;
std::string_view to_string(nat_name n) noexcept;

}  // namespace strata::stun
