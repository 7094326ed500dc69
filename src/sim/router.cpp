#include "sim/router.hpp"

#include <algorithm>

namespace strata::sim {
namespace {

constexpr base::duration firewall_memory = std::chrono::minutes(2);
// RFC 6092 §3.2.1 and §3.3.1: REC-14 and REC-35.
base::duration memory_of(protocol p) { return p == protocol::udp ? firewall_memory : tcp_timeouts{}.established; }
constexpr std::array<std::uint8_t, 12> nat64_prefix = {0x00, 0x64, 0xff, 0x9b};

}  // namespace

base::ip_address to_nat64(const base::ip_address& v4) {
  std::array<std::uint8_t, 16> octets{};
  std::ranges::copy(nat64_prefix, octets.begin());
  std::ranges::copy(v4.octets(), octets.begin() + 12);
  return base::ip_address::v6(octets);
}

std::optional<base::ip_address> from_nat64(const base::ip_address& v6) noexcept {
  const auto o = v6.octets();
  if (!v6.is_v6() || !std::ranges::equal(o.first(12), nat64_prefix)) return std::nullopt;
  return base::ip_address::v4(o[12], o[13], o[14], o[15]);
}

router::router(std::string name, router_behaviour b, std::vector<base::ip_address> outside, router* parent, std::uint64_t seed)
    : name_(std::move(name)), behaviour_(std::move(b)), parent_(parent) {
  if (behaviour_.nat || behaviour_.nat64)
    nat_.emplace(behaviour_.nat.value_or(nat_behaviour{}), std::move(outside), generator(seed, "router " + name_));
}

void router::reboot() {
  if (nat_) nat_->forget_all();
  open_.clear();
}

void router::change_outside(std::vector<base::ip_address> addresses) {
  reboot();
  if (nat_) nat_->set_outside(std::move(addresses));
}

bool router::has_outside(const base::ip_address& a) const noexcept {
  return nat_ && std::ranges::find(nat_->outside(), a) != nat_->outside().end();
}

bool router::is_transparent(base::ip_family f) const noexcept {
  if (f == base::ip_family::v6) return behaviour_.ipv6;
  return !behaviour_.nat && !behaviour_.nat64;
}

refusal router::check_size(const packet& p) const noexcept {
  if (p.protocol != protocol::udp || p.size() <= behaviour_.mtu) return {};
  if (behaviour_.reports_mtu && p.dont_fragment) return {"larger than the path carries", base::errc::too_large};
  return {"larger than the path carries"};
}

refusal router::block(const packet& p, std::string_view why) const noexcept {
  if (!behaviour_.firewall.reject) return {why};
  return {why, p.protocol == protocol::udp ? base::errc::unreachable : base::errc::refused};
}

refusal router::outbound(packet& p, base::instant now) {
  if (const auto r = check_size(p)) return r;
  const auto& f = behaviour_.firewall;
  if (p.protocol == protocol::udp && !f.udp) return block(p, "UDP is blocked");
  std::erase_if(open_, [&](const auto& c) { return now - c.second >= memory_of(std::get<0>(c.first)); });
  const bool answer = open_.contains({p.protocol, p.source, p.destination});
  if (p.protocol == protocol::tcp && f.tcp_ports && !answer &&
      std::ranges::find(*f.tcp_ports, p.destination.port) == f.tcp_ports->end())
    return block(p, "this TCP port is blocked");
  if (is_transparent(p.source.address.family()) && !(behaviour_.nat64 && from_nat64(p.destination.address))) {
    open_[{p.protocol, p.source, p.destination}] = now;
    return {};
  }
  if (behaviour_.nat64)
    if (const auto v4 = from_nat64(p.destination.address)) p.destination.address = *v4;
  // RFC 1812 §4.3.3.1: who knows no way says so.
  constexpr refusal no_way{"no way out for this address family", base::errc::unreachable};
  if (!nat_ || (p.destination.address.is_v6() && !behaviour_.ipv6)) return no_way;
  const auto outside = nat_->outbound(p.protocol, p.source, p.destination, p.destination.address.family(), now, p.segment.kind);
  if (!outside) return no_way;
  p.source = *outside;
  return {};
}

refusal router::inbound(packet& p, base::instant now) {
  if (const auto r = check_size(p)) return r;
  if (p.protocol == protocol::udp && !behaviour_.firewall.udp) return block(p, "UDP is blocked");
  if (has_outside(p.destination.address)) {
    if (has_outside(p.source.address) && !nat_->behaviour().hairpin) return {"no hairpin"};
    const auto verdict = nat_->inbound(p.protocol, p.destination, p.source, now, p.segment.kind);
    if (!verdict.inside) return {verdict.dropped};
    p.destination = *verdict.inside;
    if (p.destination.address.is_v6() && p.source.address.is_v4()) p.source.address = to_nat64(p.source.address);
    return {};
  }
  // RFC 6092 §3.2: what nobody inside has spoken to does not come in.
  const auto last = open_.find({p.protocol, p.destination, p.source});
  if (last == open_.end() || now - last->second >= memory_of(p.protocol)) return block(p, "the firewall lets only answers in");
  return {};
}

}  // namespace strata::sim
