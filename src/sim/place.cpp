#include "sim/place.hpp"

namespace strata::sim {
namespace {

using enum dependence;

nat_behaviour cone(dependence filtering) {
  return {.mapping = endpoint_independent, .filtering = filtering, .ports = port_allocation::preserving};
}
nat_behaviour symmetric(port_allocation ports) {
  return {.mapping = address_and_port_dependent, .filtering = address_and_port_dependent, .ports = ports};
}

router_behaviour behaviour_of(place_kind k) {
  router_behaviour b{.nat = cone(address_and_port_dependent)};
  switch (k) {
    case place_kind::public_address: b.nat.reset(); break;
    case place_kind::full_cone: b.nat = cone(endpoint_independent); break;
    case place_kind::address_restricted: b.nat = cone(address_dependent); break;
    case place_kind::port_restricted:
    case place_kind::cgnat_over_home: break;
    case place_kind::symmetric_sequential: b.nat = symmetric(port_allocation::sequential); break;
    case place_kind::symmetric_random: b.nat = symmetric(port_allocation::random); break;
    case place_kind::same_nat_hairpin:
      b.nat->hairpin = true;
      b.isolated = true;
      break;
    case place_kind::nat64:
      b.nat.reset();
      b.nat64 = true;
      break;
    case place_kind::ipv6_only: b.nat.reset(); break;
    case place_kind::udp_blocked: b.firewall.udp = false; break;
    case place_kind::only_tcp_443: b.firewall = {.udp = false, .tcp_ports = std::vector<std::uint16_t>{443}}; break;
    case place_kind::mapping_timeout_30s: b.nat->mapping_timeout = std::chrono::seconds(30); break;
    case place_kind::mtu_1280: b.mtu = 1280; break;
  }
  return b;
}

base::ip_address v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return base::ip_address::v4(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c),
                              static_cast<std::uint8_t>(d));
}

}  // namespace

std::string_view to_string(place_kind k) noexcept {
  switch (k) {
    case place_kind::public_address: return "public";
    case place_kind::full_cone: return "full cone";
    case place_kind::address_restricted: return "address restricted";
    case place_kind::port_restricted: return "port restricted";
    case place_kind::symmetric_sequential: return "symmetric, sequential";
    case place_kind::symmetric_random: return "symmetric, random";
    case place_kind::cgnat_over_home: return "CGNAT over home NAT";
    case place_kind::same_nat_hairpin: return "same NAT, hairpin";
    case place_kind::nat64: return "NAT64";
    case place_kind::ipv6_only: return "IPv6 only";
    case place_kind::udp_blocked: return "UDP blocked";
    case place_kind::only_tcp_443: return "only TCP 443";
    case place_kind::mapping_timeout_30s: return "mapping timeout 30 s";
    case place_kind::mtu_1280: return "MTU 1280";
  }
  return "?";
}

std::string_view to_string(tier t) noexcept { return t == tier::direct ? "direct" : "relay"; }

host& put(network& n, place_kind k, const std::string& name, unsigned number) {
  const auto outside = v4(203, 0, 113, number);
  const auto global = "2001:db8:" + std::to_string(number) + "::2/64";
  const auto local = "192.168." + std::to_string(number) + ".2";
  const auto b = behaviour_of(k);
  switch (k) {
    case place_kind::public_address: return n.add_host(name, {outside.to_string(), global});
    case place_kind::nat64: return n.add_host_behind(n.add_router(name + " router", b, {outside}), name, {global});
    case place_kind::ipv6_only: return n.add_host_behind(n.add_router(name + " router", b, {}), name, {global});
    case place_kind::cgnat_over_home: {
      auto& carrier = n.add_router(name + " carrier", b, {outside});
      auto& home = n.add_router(name + " router", b, {v4(100, 64, 0, number)}, &carrier);
      return n.add_host_behind(home, name, {local});
    }
    case place_kind::same_nat_hairpin: {
      constexpr std::string_view shared = "shared router";
      auto* r = n.find_router(shared);
      if (r == nullptr) r = &n.add_router(std::string(shared), b, {outside});
      return n.add_host_behind(*r, name, {"192.168.1." + std::to_string(number)});
    }
    default: return n.add_host_behind(n.add_router(name + " router", b, {outside}), name, {local});
  }
}

tier best_tier(place_kind a, place_kind b) noexcept {
  using enum place_kind;
  const auto no_udp = [](place_kind k) { return k == udp_blocked || k == only_tcp_443; };
  if (no_udp(a) || no_udp(b)) return tier::relay;
  const auto v6 = [](place_kind k) { return k == public_address || k == nat64 || k == ipv6_only; };
  if (v6(a) && v6(b)) return tier::direct;  // stateful firewalls let in what was spoken to
  const auto v6_alone = [](place_kind k) { return k == nat64 || k == ipv6_only; };
  if (v6_alone(a) || v6_alone(b)) return tier::relay;
  // Whoever maps by destination cannot be found by somebody who lets in only the port that he wrote to.
  const auto symmetric = [](place_kind k) { return k == symmetric_sequential || k == symmetric_random; };
  const auto strict = [&](place_kind k) { return k != public_address && k != full_cone && k != address_restricted; };
  if ((symmetric(a) && strict(b)) || (symmetric(b) && strict(a))) return tier::relay;
  return tier::direct;
}

}  // namespace strata::sim
