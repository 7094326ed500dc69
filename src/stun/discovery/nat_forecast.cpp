#include "stun/discovery/nat_forecast.hpp"

namespace strata::stun {
namespace {

// ICE checks from both sides open both filters; what they cannot do is to send to a port that nobody knows. A symmetric NAT
// uses a new one for this peer: the peer learns it from the check that comes in, if its filter lets it in, which looks at
// the address (restricted) or at the port as well (port-restricted).
//
//                    open    full    restr   p.restr symm    blocked
//   open             direct  direct  direct  direct  direct  relay
//   full cone                direct  direct  direct  direct  relay
//   restricted                       direct  direct  direct  relay
//   port-restricted                          direct  relay   relay
//   symmetric                                        relay   relay
//   UDP blocked                                              relay      over TCP or TLS to the relay
bool meets(standing a, standing b) noexcept {
  if (a == standing::udp_blocked || b == standing::udp_blocked) return false;
  const auto strict = [](standing s) { return s == standing::port_restricted || s == standing::symmetric; };
  return !((a == standing::symmetric && strict(b)) || (b == standing::symmetric && strict(a)));
}

}  // namespace

tier forecast(standing mine, standing theirs, bool relay_available) noexcept {
  if (meets(mine, theirs)) return tier::direct;
  return relay_available ? tier::relay : tier::task_queue;
}

standing standing_of(const nat_report& r) noexcept {
  const auto name = r.name();
  const bool given = r.port_mapping && r.second_nat != finding::yes && r.udp == finding::yes;
  switch (name) {
    case nat_name::open_internet: return standing::open;
    case nat_name::full_cone: return standing::full_cone;
    case nat_name::restricted_cone: return given ? standing::full_cone : standing::restricted;
    case nat_name::symmetric_udp_firewall:
      if (given) return standing::full_cone;
      return r.filtering == filtering_kind::address_dependent ? standing::restricted : standing::port_restricted;
    case nat_name::no_nat:
    case nat_name::cone:
    case nat_name::port_restricted_cone: return given ? standing::full_cone : standing::port_restricted;
    case nat_name::symmetric:
    case nat_name::unknown: return given ? standing::full_cone : standing::symmetric;
    case nat_name::udp_blocked:
    case nat_name::offline: return standing::udp_blocked;
  }
  return standing::symmetric;
}

std::string_view to_string(tier t) noexcept {
  switch (t) {
    case tier::direct: return "direct";
    case tier::relay: return "relay";
    case tier::task_queue: return "task queue";
  }
  return "?";
}

std::string_view to_string(standing s) noexcept {
  switch (s) {
    case standing::open: return "open internet";
    case standing::full_cone: return "full cone";
    case standing::restricted: return "restricted cone";
    case standing::port_restricted: return "port-restricted cone";
    case standing::symmetric: return "symmetric";
    case standing::udp_blocked: return "UDP blocked";
  }
  return "?";
}

}  // namespace strata::stun
