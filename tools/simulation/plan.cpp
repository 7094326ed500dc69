#include "simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/generator.hpp"

namespace strata::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, fault_kinds> fault_names{
    "partition",       "cut-off",          "host-down",     "interface-down", "address-change", "sidecar-killed",
    "registry-killed", "registry-cut-off", "loss-burst",    "latency",        "nat-reboot",     "outside-address",
    "udp-blocked",     "relay-killed",     "relay-cut-off", "program-stalls", "asleep"};
constexpr std::array<std::string_view, sabotages> sabotage_names{
    "none", "lose", "repeat", "swap", "tear", "leak", "amplify", "unproved", "never-heal", "sleep-forever", "crash"};
constexpr std::array<std::string_view, most_peers> peer_names{"ada", "grace", "hedy", "joan", "mary", "rosa"};

base::duration seconds(double s) { return std::chrono::milliseconds(std::llround(s * 1000)); }

std::size_t below(sim::generator& g, std::size_t bound) { return static_cast<std::size_t>(g.next() % bound); }

// Small values as likely as large ones, by magnitude.
double spread(sim::generator& g, double least, double most) { return least * std::pow(most / least, g.unit()); }

fault random_fault(sim::generator& g, std::size_t peers) {
  fault f;
  f.at = seconds(g.unit() * 60);
  f.what = static_cast<fault_kind>(below(g, fault_kinds));
  f.a = below(g, peers);
  f.b = (f.a + 1 + below(g, peers - 1)) % peers;
  f.lasts = seconds(spread(g, 0.05, 90));
  if (f.what == fault_kind::asleep) f.lasts = seconds(spread(g, 1, 3600));
  const auto amount = g.unit();
  if (f.what == fault_kind::loss_burst) f.amount = 0.05 + 0.9 * amount;
  if (f.what == fault_kind::nat_reboot || f.what == fault_kind::outside_address) f.lasts = 0s;
  if (f.what == fault_kind::latency) f.amount = std::round(10 + 1500 * amount);
  return f;
}

// Half an hour in which every tier dies and comes back, alone and together with others: more than ten thousand messages long.
std::vector<fault> tier_walk(std::uint64_t seed) {
  constexpr std::array trouble{fault_kind::udp_blocked,     fault_kind::udp_blocked,   fault_kind::partition,
                               fault_kind::relay_killed,    fault_kind::relay_cut_off, fault_kind::registry_killed,
                               fault_kind::registry_cut_off};
  sim::generator g(seed, "tiers");
  std::vector<fault> walk;
  for (auto at = seconds(5); at < 28min; at += seconds(spread(g, 0.5, 40))) {
    fault f{at, trouble[below(g, trouble.size())], below(g, 2), 0, seconds(spread(g, 0.2, 40))};
    f.b = 1 - f.a;
    walk.push_back(f);
  }
  return walk;
}

}  // namespace

std::string_view to_string(fault_kind k) noexcept { return fault_names[static_cast<std::size_t>(k)]; }
std::string_view to_string(sabotage s) noexcept { return sabotage_names[static_cast<std::size_t>(s)]; }
std::string_view peer_name(std::size_t n) noexcept { return peer_names[n]; }

std::optional<sabotage> sabotage_from(std::string_view name) noexcept {
  const auto found = std::ranges::find(sabotage_names, name);
  if (found == sabotage_names.end()) return std::nullopt;
  return static_cast<sabotage>(found - sabotage_names.begin());
}

double plan::lost() const {
  const auto& b = links.bursts;
  return links.loss + (b ? b->good_to_bad / (b->good_to_bad + b->bad_to_good) : 0);
}

sim::place_kind plan::place_of(std::size_t peer) const {
  return peer < places.size() ? places[peer] : sim::place_kind::public_address;
}

base::duration plan::calm_for(base::duration at) const {
  auto since = base::duration::zero();
  for (const auto& f : faults)
    if (f.at <= at) since = std::max(since, std::min(at, f.at + f.lasts));
  return at - since;
}

base::duration plan::healed_at() const {
  base::duration last{};
  for (const auto& f : faults) last = std::max(last, f.at + f.lasts);
  return last;
}

std::string describe(const fault& f) {
  std::string who;
  switch (f.what) {
    case fault_kind::partition: who = fmt::format(" {} {}", peer_name(f.a), peer_name(f.b)); break;
    case fault_kind::registry_killed:
    case fault_kind::registry_cut_off:
    case fault_kind::relay_killed:
    case fault_kind::relay_cut_off: break;
    case fault_kind::loss_burst:
    case fault_kind::latency: who = fmt::format(" {:.3g}", f.amount); break;
    default: who = fmt::format(" {}", peer_name(f.a));
  }
  return fmt::format("at {:.3f} s {}{} for {:.3f} s", base::milliseconds(f.at) / 1000, to_string(f.what), who,
                     base::milliseconds(f.lasts) / 1000);
}

std::string describe(const plan& p) {
  std::string who;
  for (std::size_t n = 0; n < p.peers; ++n)
    who += fmt::format("{}{}: {}", n == 0 ? "" : "; ", peer_name(n), sim::to_string(p.place_of(n)));
  auto text = fmt::format(
      "{}: {} peers ({}){}, latency {:.3g} ms, jitter {:.3g} ms, loss {:.3g}{}, MTU {}, duplicate {:.3g}, reorder {:.3g}, {} "
      "bit/s, talk "
      "{:.3g} s\n",
      p.name, p.peers, who, p.second_interface ? ", a second interface" : "", base::milliseconds(p.links.latency),
      base::milliseconds(p.links.jitter), p.lost(), p.links.bursts ? " in bursts" : "", p.links.mtu, p.links.duplicate,
      p.links.reorder, p.links.bits_per_second, base::milliseconds(p.talk) / 1000);
  for (const auto& f : p.faults) text += "  " + describe(f) + "\n";
  return text;
}

std::vector<std::string_view> scenario_names() {
  return {"two-peers", "three-peers", "six-peers", "partition",     "registry-restart", "sidecar-restart", "roaming",
          "bad-links", "relayed",     "nats",      "relay-restart", "asleep",           "tiers",           "random"};
}

std::optional<plan> scenario(std::string_view name, std::uint64_t seed) {
  plan p;
  p.name = name;
  p.seed = seed;
  p.links = {.latency = 20ms, .jitter = 5ms};
  if (name == "two-peers") return p;
  if (name == "three-peers") p.peers = 3;
  else if (name == "six-peers") p.peers = 6;
  else if (name == "partition") p.faults = {{5s, fault_kind::partition, 0, 1, 10s}, {40s, fault_kind::partition, 0, 1, 90s}};
  else if (name == "registry-restart") p.faults = {{5s, fault_kind::registry_killed, 0, 0, 30s}};
  else if (name == "sidecar-restart") p.faults = {{5s, fault_kind::sidecar_killed, 1, 0, 2s}};
  else if (name == "roaming")
    p.faults = {{5s, fault_kind::address_change, 0, 0, 2s}, {20s, fault_kind::address_change, 1, 0, 1s}};
  else if (name == "bad-links")
    p.links = {.latency = 80ms, .jitter = 60ms, .loss = 0.05, .duplicate = 0.02, .reorder = 0.05, .bits_per_second = 2'000'000};
  else if (name == "relayed") p.places = {sim::place_kind::symmetric_random, sim::place_kind::port_restricted};
  else if (name == "nats") {
    p.peers = 4;
    p.places = {sim::place_kind::cgnat_over_home, sim::place_kind::symmetric_sequential, sim::place_kind::nat64,
                sim::place_kind::udp_blocked};
    p.faults = {{10s, fault_kind::nat_reboot, 0, 0, 0s}, {20s, fault_kind::outside_address, 1, 0, 0s}};
  } else if (name == "relay-restart") {
    p.places = {sim::place_kind::symmetric_random, sim::place_kind::only_tcp_443};
    p.faults = {{5s, fault_kind::relay_killed, 0, 0, 5s}};
  } else if (name == "asleep") {
    p.places = {sim::place_kind::port_restricted};
    p.faults = {{10s, fault_kind::asleep, 0, 0, 1h}};
  } else if (name == "tiers") {
    p.places = {sim::place_kind::port_restricted, sim::place_kind::port_restricted};
    p.faults = tier_walk(seed);
  } else if (name == "random") return random_plan(seed);
  else return std::nullopt;
  return p;
}

plan random_plan(std::uint64_t seed) {
  sim::generator g(seed, "plan");
  plan p;
  p.name = "random";
  p.seed = seed;
  const auto crowd = g.unit();
  p.peers = crowd < 0.6 ? 2 : crowd < 0.9 ? 3 : 4;
  for (std::size_t n = 0; n < p.peers; ++n)
    p.places.push_back(g.chance(0.3) ? sim::place_kind::public_address : sim::all_places[below(g, sim::all_places.size())]);
  p.second_interface = g.chance(0.3) && p.places[0] == sim::place_kind::public_address;
  p.links.latency = seconds(spread(g, 0.001, 0.3));
  p.links.jitter = seconds(g.unit() * base::milliseconds(p.links.latency) / 2000);
  constexpr std::array losses{0.0, 0.0, 0.005, 0.02, 0.08};
  p.links.loss = losses[below(g, losses.size())];
  if (g.chance(0.4)) {  // as much, in bursts of five packets
    p.links.bursts = sim::burst_loss{.good_to_bad = p.links.loss / 5, .bad_to_good = 0.2};
    p.links.loss = 0;
  }
  if (g.chance(0.1)) p.links.mtu = 1280;
  p.links.duplicate = g.chance(0.3) ? 0.01 : 0;
  p.links.reorder = g.chance(0.3) ? 0.02 : 0;
  p.links.bits_per_second = g.chance(0.2) ? 5'000'000 : 0;
  const auto count = below(g, 7);
  const double apart = g.chance(0.15) ? 10 : 1;  // mostly on top of each other, sometimes with long calm in between
  for (std::size_t i = 0; i < count; ++i) {
    auto f = random_fault(g, p.peers);
    f.at = seconds(base::milliseconds(f.at) / 1000 * apart);
    p.faults.insert(std::ranges::upper_bound(p.faults, f.at, {}, &fault::at), f);
  }
  return p;
}

}  // namespace strata::simulation
