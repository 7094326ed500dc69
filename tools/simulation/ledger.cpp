#include "simulation/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "simulation/plan.hpp"

namespace strata::simulation {
namespace {
std::string name_of(ledger::peer from, ledger::peer to, std::size_t number) {
  return fmt::format("message {} from {} to {}", number, peer_name(from), peer_name(to));
}
}  // namespace

void ledger::complain(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

std::size_t ledger::sent(peer from, peer to) {
  auto& d = directions_[{from, to}];
  d.messages.emplace_back();
  ++totals_.sent;
  return d.messages.size() - 1;
}

void ledger::arrived(peer from, peer to, std::size_t number, bool whole) {
  auto& d = directions_[{from, to}];
  if (number >= d.messages.size()) return complain(name_of(from, to, number) + " arrived and was never sent");
  auto& e = d.messages[number];
  if (!whole) complain(name_of(from, to, number) + " is not what was sent");
  if (e.arrived && e.may_repeat) return;
  if (e.arrived) return complain(name_of(from, to, number) + " arrived twice");
  if (number < d.next) complain(fmt::format("{} arrived after message {}", name_of(from, to, number), d.next - 1));
  e.arrived = true;
  d.next = std::max(d.next, number + 1);
  ++d.arrived;
  ++totals_.arrived;
}

void ledger::reported(peer from, peer to, std::size_t number) {
  auto& d = directions_[{from, to}];
  if (number >= d.messages.size()) return complain(name_of(from, to, number) + " was reported and was never sent");
  d.messages[number].excused = true;
  ++totals_.reported;
}

void ledger::connection_ended(peer p) {
  for (auto& [way, d] : directions_)
    if (way.first == p)
      for (auto& e : d.messages) e.excused = true;
}

void ledger::sidecar_died(peer p) {
  for (auto& [way, d] : directions_)
    if (way.second == p)
      for (auto& e : d.messages) e.excused = e.may_repeat = true;
}

std::size_t ledger::arrivals(peer from, peer to) const {
  const auto d = directions_.find({from, to});
  return d != directions_.end() ? d->second.arrived : 0;
}

bool ledger::has_arrived(peer from, peer to, std::size_t number) const {
  const auto d = directions_.find({from, to});
  return d != directions_.end() && number < d->second.messages.size() && d->second.messages[number].arrived;
}

bool ledger::is_excused(peer from, peer to, std::size_t number) const {
  const auto d = directions_.find({from, to});
  return d != directions_.end() && number < d->second.messages.size() && d->second.messages[number].excused;
}

bool ledger::settled() const {
  return std::ranges::all_of(directions_, [](const auto& d) {
    return std::ranges::all_of(d.second.messages, [](const entry& e) { return e.arrived || e.excused; });
  });
}

std::vector<std::string> ledger::outstanding() const {
  std::vector<std::string> names;
  for (const auto& [way, d] : directions_)
    for (std::size_t n = 0; n < d.messages.size(); ++n)
      if (!d.messages[n].arrived && !d.messages[n].excused) names.push_back(name_of(way.first, way.second, n));
  return names;
}

}  // namespace strata::simulation
