#include "ice/valid_list.hpp"

#include <algorithm>

#include "ice/priority.hpp"

namespace strata::ice {

valid_pair& valid_list::add(valid_pair p) {
  const auto base_address = p.local.base_address;
  const auto remote = p.remote.address;
  if (auto* known = find(base_address, remote)) {
    p.nominated = p.nominated || known->nominated;
    p.nominated_by_us = p.nominated_by_us || known->nominated_by_us;
    p.nomination = std::max(p.nomination, known->nomination);
    if (!p.rtt) p.rtt = known->rtt;
    p.quality = known->quality;
    *known = std::move(p);
  } else {
    pairs_.push_back(std::move(p));
  }
  sort();
  return *find(base_address, remote);
}

valid_pair* valid_list::find(const base::endpoint& base_address, const base::endpoint& remote) noexcept {
  for (auto& p : pairs_)
    if (p.remote.address == remote && p.local.base_address == base_address) return &p;
  return nullptr;
}

const valid_pair* valid_list::find(const base::endpoint& base_address, const base::endpoint& remote) const noexcept {
  return const_cast<valid_list*>(this)->find(base_address, remote);
}

valid_pair* valid_list::selected() noexcept {
  if (pairs_.empty()) return nullptr;
  // The first, thus the best, of those that are equal.
  const auto rank = [](const valid_pair& p) { return p.nominated ? std::uint64_t{p.nomination} + 1 : 0; };
  return &*std::ranges::max_element(pairs_, {}, rank);
}

bool valid_list::any_nominated() const noexcept { return std::ranges::any_of(pairs_, &valid_pair::nominated); }

void valid_list::set_controlling(bool controlling) {
  for (auto& p : pairs_) p.priority = pair_priority(controlling, p.local, p.remote);
  sort();
}

void valid_list::remove(const base::endpoint& base_address, const base::endpoint& remote) {
  std::erase_if(pairs_,
                [&](const valid_pair& p) { return p.local.base_address == base_address && p.remote.address == remote; });
}

std::vector<valid_pair> valid_list::remove_silent_since(base::instant confirmed) {
  std::vector<valid_pair> silent;
  std::erase_if(pairs_, [&](const valid_pair& p) {
    if (p.confirmed > confirmed) return false;
    silent.push_back(p);
    return true;
  });
  return silent;
}

void valid_list::remove_all_of(const base::endpoint& base_address) {
  std::erase_if(pairs_, [&](const valid_pair& p) { return p.local.base_address == base_address; });
}

void valid_list::sort() {
  std::ranges::sort(pairs_, [](const valid_pair& a, const valid_pair& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.checked < b.checked;
  });
}

}  // namespace strata::ice
