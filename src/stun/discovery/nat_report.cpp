#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

nat_name nat_report::name() const noexcept {
  if (udp == finding::no) return tcp == finding::yes ? nat_name::udp_blocked : nat_name::offline;
  switch (mapping) {
    case mapping_kind::unknown: return nat_name::unknown;
    case mapping_kind::no_nat:
      if (filtering == filtering_kind::unknown) return nat_name::no_nat;
      return filtering == filtering_kind::endpoint_independent ? nat_name::open_internet : nat_name::symmetric_udp_firewall;
    case mapping_kind::endpoint_independent: break;
    case mapping_kind::address_dependent:
    case mapping_kind::address_and_port_dependent:
    case mapping_kind::dependent: return nat_name::symmetric;
  }
  switch (filtering) {
    case filtering_kind::unknown: return nat_name::cone;
    case filtering_kind::endpoint_independent: return nat_name::full_cone;
    case filtering_kind::address_dependent: return nat_name::restricted_cone;
    case filtering_kind::address_and_port_dependent: return nat_name::port_restricted_cone;
  }
  return nat_name::unknown;
}

std::string_view to_string(finding f) noexcept {
  switch (f) {
    case finding::unknown: return "unknown";
    case finding::no: return "no";
    case finding::yes: return "yes";
  }
  return "?";
}

std::string_view to_string(mapping_kind m) noexcept {
  switch (m) {
    case mapping_kind::unknown: return "unknown";
    case mapping_kind::no_nat: return "no NAT";
    case mapping_kind::endpoint_independent: return "endpoint-independent";
    case mapping_kind::address_dependent: return "address-dependent";
    case mapping_kind::address_and_port_dependent: return "address- and port-dependent";
    case mapping_kind::dependent: return "address- or port-dependent";
  }
  return "?";
}

std::string_view to_string(filtering_kind f) noexcept {
  switch (f) {
    case filtering_kind::unknown: return "unknown";
    case filtering_kind::endpoint_independent: return "endpoint-independent";
    case filtering_kind::address_dependent: return "address-dependent";
    case filtering_kind::address_and_port_dependent: return "address- and port-dependent";
  }
  return "?";
}

std::string_view to_string(port_kind p) noexcept {
  switch (p) {
    case port_kind::unknown: return "unknown";
    case port_kind::preserving: return "preserving";
    case port_kind::sequential: return "sequential";
    case port_kind::random: return "random";
  }
  return "?";
}

std::string_view to_string(nat_name n) noexcept {
  switch (n) {
    case nat_name::unknown: return "unknown";
    case nat_name::offline: return "offline";
    case nat_name::udp_blocked: return "UDP blocked";
    case nat_name::open_internet: return "open internet";
    case nat_name::no_nat: return "no NAT";
    case nat_name::symmetric_udp_firewall: return "symmetric UDP firewall";
    case nat_name::full_cone: return "full cone";
    case nat_name::restricted_cone: return "restricted cone";
    case nat_name::port_restricted_cone: return "port-restricted cone";
    case nat_name::cone: return "cone";
    case nat_name::symmetric: return "symmetric";
  }
  return "?";
}

}  // namespace strata::stun
