#include "simulation/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace strata::simulation {

faults::faults(sim::network& n, const plan& p, std::vector<sim::host*> peers, sim::host& registry, sim::host& relay, hooks h)
    : net_(n), plan_(p), peers_(std::move(peers)), registry_(registry), relay_(relay), hooks_(std::move(h)) {}

async::task<> faults::happen(fault f) {
  co_await async::sleep_for(f.at);
  hooks_.note("begins: " + describe(f));
  apply(f, true);
  co_await async::sleep_for(f.lasts);
  if (plan_.broken == sabotage::never_heal) co_return;
  apply(f, false);
  hooks_.note("is over: " + describe(f));
}

bool faults::changes(held what, std::size_t a, std::size_t b, bool begins) {
  auto& n = holders_[{what, a, b}];
  return begins ? n++ == 0 : --n == 0;
}

void faults::pair(sim::host& a, sim::host& b, bool cut) {
  const auto [low, high] = std::minmax(a.index(), b.index());
  if (low == high || !changes(held::pair, low, high, cut)) return;
  if (cut) net_.partition(a, b);
  else net_.heal(a, b);
}

void faults::cut_off(sim::host& h, bool cut) {
  for (auto* other : peers_) pair(h, *other, cut);
  pair(h, registry_, cut);
  pair(h, relay_, cut);
}

// The address goes, and after a while there is another one.
void faults::move(std::size_t peer, bool begins) {
  using enum sim::place_kind;
  auto& h = *peers_[peer];
  const auto place = plan_.place_of(peer);
  const bool only_v6 = place == nat64 || place == ipv6_only;
  if (begins) {
    const auto old = std::ranges::find_if(
        h.addresses(), [only_v6](const net::interface_address& i) { return i.name == "eth0" && i.address.is_v4() != only_v6; });
    if (old != h.addresses().end()) h.remove_address(base::ip_address(old->address));
    return;
  }
  const auto fresh = next_address_++ % 150;
  if (place == public_address) h.add_address("eth0", fmt::format("198.51.100.{}", fresh + 1));
  else if (only_v6) h.add_address("eth0", fmt::format("2001:db8:{}::{:x}/64", peer + 1, fresh + 16));
  else h.add_address("eth0", fmt::format("192.168.{}.{}", place == same_nat_hairpin ? 1 : peer + 1, fresh + 100));
}

// Of IPv4: an IPv6 router hands out its addresses to the hosts, whose business address_change is.
void faults::change_outside(std::size_t peer) {
  auto* r = peers_[peer]->behind();
  while (r != nullptr && r->parent() != nullptr) r = r->parent();
  if (r != nullptr && plan_.place_of(peer) != sim::place_kind::ipv6_only)
    r->change_outside({*base::ip_address::parse(fmt::format("203.0.113.{}", next_outside_++ % 150 + 100))});
}

void faults::block_udp(std::size_t peer, bool blocked) {
  auto* r = peers_[peer]->behind();
  if (r == nullptr || plan_.place_of(peer) == sim::place_kind::udp_blocked ||
      plan_.place_of(peer) == sim::place_kind::only_tcp_443)
    return;
  auto policy = r->behaviour().firewall;
  policy.udp = !blocked;
  r->set_firewall(policy);
}

void faults::set_links() {
  auto links = plan_.links;
  if (!losses_.empty()) links.loss = std::max(links.loss, *losses_.rbegin());
  if (!latencies_.empty()) links.latency += std::chrono::milliseconds(std::llround(*latencies_.rbegin()));
  net_.all_links(links);
}

void faults::apply(const fault& f, bool begins) {
  auto& a = *peers_[f.a];
  const auto among = [&](std::multiset<double>& s) {
    if (begins) s.insert(f.amount);
    else s.erase(s.find(f.amount));
    set_links();
  };
  switch (f.what) {
    case fault_kind::partition: pair(a, *peers_[f.b], begins); break;
    case fault_kind::cut_off: cut_off(a, begins); break;
    case fault_kind::host_down:
      if (!changes(held::host, f.a, 0, begins)) break;
      if (begins) net_.set_down(a);
      else net_.set_up(a);
      break;
    case fault_kind::interface_down:
      if (changes(held::interface, f.a, 0, begins)) a.set_interface_up("eth0", !begins);
      break;
    case fault_kind::address_change: move(f.a, begins); break;
    case fault_kind::sidecar_killed:
      if (begins) hooks_.kill_sidecar(f.a, f.lasts);
      break;
    case fault_kind::registry_killed:
      if (begins) hooks_.kill_registry(f.lasts);
      break;
    case fault_kind::registry_cut_off: cut_off(registry_, begins); break;
    case fault_kind::nat_reboot:
      if (begins)
        for (auto* r = a.behind(); r != nullptr; r = r->parent()) r->reboot();
      break;
    case fault_kind::outside_address:
      if (begins) change_outside(f.a);
      break;
    case fault_kind::udp_blocked:
      if (changes(held::udp, std::bit_cast<std::size_t>(a.behind()), 0, begins)) block_udp(f.a, begins);
      break;
    case fault_kind::relay_killed:
      if (begins) hooks_.kill_relay(f.lasts);
      break;
    case fault_kind::relay_cut_off: cut_off(relay_, begins); break;
    case fault_kind::asleep:
      if (!changes(held::sleep, f.a, 0, begins)) break;
      if (begins) net_.set_asleep(a);
      else net_.wake(a);
      break;
    case fault_kind::program_stalls:
      if (changes(held::program, f.a, 0, begins)) hooks_.stall_program(f.a, begins);
      break;
    case fault_kind::loss_burst: among(losses_); break;
    case fault_kind::latency: among(latencies_); break;
  }
}

}  // namespace strata::simulation
