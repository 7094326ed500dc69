#include "ice/check_list.hpp"

#include <algorithm>
#include <cassert>

#include "ice/priority.hpp"

namespace strata::ice {
namespace {

// RFC 8445 §6.1.2.4: checks leave from the base, so a reflexive candidate adds nothing that its host candidate has not.
bool stands_for_itself(const candidate& local) {
  return local.type == candidate_type::host || local.type == candidate_type::relayed;
}

bool is_unchecked(pair_state s) { return s == pair_state::frozen || s == pair_state::waiting; }

}  // namespace

void check_list::form(std::span<const candidate> local, std::span<const candidate> remote) {
  for (const auto& r : remote)
    for (const auto& l : local)
      if (stands_for_itself(l)) add(l, r);
  // The order of arrival has no meaning yet: one pair of each foundation, the best, is Waiting (§6.1.2.6).
  for (auto& p : pairs_)
    if (p.state == pair_state::waiting) p.state = pair_state::frozen;
  for (auto& p : pairs_) {
    const auto taken = [&](const candidate_pair& other) {
      return other.state != pair_state::frozen && other.foundation() == p.foundation();
    };
    if (p.state == pair_state::frozen && std::ranges::none_of(pairs_, taken)) p.state = pair_state::waiting;
  }
}

std::optional<pair_id> check_list::add(const candidate& local, const candidate& remote) {
  if (!stands_for_itself(local) || !can_pair(local, remote)) return std::nullopt;
  // RFC 6544 §6.2: the peer connects to what listens here, and is somebody else's port then: its check makes the pair.
  if (local.tcptype == tcp_type::passive) return std::nullopt;
  const auto priority = pair_priority(controlling_, local, remote);
  if (auto* same = find(local.base_address, remote.address)) {
    // RFC 8838 §10: of two equal pairs that nobody has checked the better one stays; one that was checked always does.
    if (!is_unchecked(same->state) || same->priority >= priority) return std::nullopt;
    remove(same->id);
  }
  if (!make_room(priority)) return std::nullopt;
  auto& added = insert(local, remote);
  const auto foundation = added.foundation();
  bool best = true, succeeded = false;
  for (const auto& p : pairs_) {
    if (p.id == added.id || p.foundation() != foundation) continue;
    if (p.priority > added.priority) best = false;
    if (p.state == pair_state::succeeded) succeeded = true;
  }
  // RFC 8838 §12, the three rules.
  if (best || succeeded) added.state = pair_state::waiting;
  const auto id = added.id;
  sort();
  return id;
}

std::optional<pair_id> check_list::add_triggered(const candidate& local, const candidate& remote) {
  assert(stands_for_itself(local));
  if (!make_room(pair_priority(controlling_, local, remote))) return std::nullopt;
  auto& added = insert(local, remote);
  added.state = pair_state::waiting;
  const auto id = added.id;
  sort();
  return id;
}

candidate_pair* check_list::find(pair_id id) noexcept {
  const auto at = std::ranges::find(pairs_, id, &candidate_pair::id);
  return at == pairs_.end() ? nullptr : &*at;
}

candidate_pair* check_list::find(const base::endpoint& base_address, const base::endpoint& remote) noexcept {
  for (auto& p : pairs_)
    if (p.remote.address == remote && p.local.base_address == base_address) return &p;
  return nullptr;
}

std::size_t check_list::count(pair_state s) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(pairs_, s, &candidate_pair::state));
}

std::size_t check_list::unfinished() const noexcept {
  return count(pair_state::frozen) + count(pair_state::waiting) + count(pair_state::in_progress);
}

void check_list::set_state(candidate_pair& p, pair_state s) noexcept {
  assert(may_follow(p.state, s));
  p.state = s;
}

void check_list::unfreeze(std::string_view pair_foundation) {
  for (auto& p : pairs_)
    if (p.state == pair_state::frozen && p.foundation() == pair_foundation) p.state = pair_state::waiting;
}

void check_list::set_controlling(bool controlling) {
  controlling_ = controlling;
  for (auto& p : pairs_) p.priority = pair_priority(controlling, p.local, p.remote);
  sort();
}

void check_list::adopt_signaled(const candidate& remote) {
  for (auto& p : pairs_) {
    if (p.remote.type != candidate_type::peer_reflexive || !is_at(p.remote, remote.address, remote.protocol)) continue;
    const auto priority = remote.type == candidate_type::relayed ? remote.priority : p.remote.priority;
    p.remote = remote;
    p.remote.priority = priority;
    p.priority = pair_priority(controlling_, p.local, p.remote);
  }
  sort();
}

void check_list::trigger(candidate_pair& p, bool nominate) {
  if (p.triggered) {
    if (nominate) std::ranges::find(triggered_, p.id, &triggered_check::pair)->nominate = true;
    return;
  }
  p.triggered = true;
  triggered_.push_back({p.id, nominate});
}

std::optional<check_list::triggered_check> check_list::pop_triggered() {
  if (triggered_.empty()) return std::nullopt;
  const auto next = triggered_.front();
  triggered_.pop_front();
  find(next.pair)->triggered = false;
  return next;
}

void check_list::remove_unchecked(std::uint64_t below) {
  const auto goes = [&](const candidate_pair& p) { return p.priority < below && is_unchecked(p.state); };
  std::erase_if(triggered_, [&](const triggered_check& t) { return goes(*find(t.pair)); });
  std::erase_if(pairs_, goes);
}

void check_list::fail_all_of(const base::endpoint& base_address, std::string_view outcome) {
  for (auto& p : pairs_) {
    if (p.local.base_address != base_address) continue;
    p.state = pair_state::failed;
    p.outcome = outcome;
    p.triggered = false;
    ++p.current_check;
    std::erase_if(triggered_, [&](const triggered_check& t) { return t.pair == p.id; });
  }
}

candidate_pair& check_list::insert(const candidate& local, const candidate& remote) {
  auto& p = pairs_.emplace_back();
  p.id = pair_id(next_id_++);
  p.local = local;
  p.remote = remote;
  p.priority = pair_priority(controlling_, local, remote);
  return p;
}

bool check_list::make_room(std::uint64_t for_priority) {
  if (pairs_.size() < limit_) return true;
  if (limit_ == 0) return false;
  // RFC 8838 §10: failed pairs go first, then the worst of those that are worse than the new one and not yet checked.
  const auto worst = std::ranges::find_if(
      pairs_.rbegin(), pairs_.rend(), [](const candidate_pair& p) { return p.state == pair_state::failed && !p.triggered; });
  if (worst != pairs_.rend()) {
    remove(worst->id);
    return true;
  }
  const auto unchecked = std::ranges::find_if(pairs_.rbegin(), pairs_.rend(), [&](const candidate_pair& p) {
    return is_unchecked(p.state) && p.priority < for_priority;
  });
  if (unchecked == pairs_.rend()) return false;
  remove(unchecked->id);
  return true;
}

void check_list::remove(pair_id id) {
  std::erase_if(triggered_, [&](const triggered_check& t) { return t.pair == id; });
  std::erase_if(pairs_, [&](const candidate_pair& p) { return p.id == id; });
}

void check_list::sort() {
  std::ranges::sort(pairs_, [](const candidate_pair& a, const candidate_pair& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.id < b.id;
  });
  invariant();
}

void check_list::invariant() const {
#ifndef NDEBUG
  assert(pairs_.size() <= limit_);
  assert(std::ranges::is_sorted(pairs_, std::ranges::greater(), &candidate_pair::priority));
  std::size_t queued = 0;
  for (const auto& p : pairs_) queued += p.triggered ? 1 : 0;
  assert(queued == triggered_.size());
#endif
}

}  // namespace strata::ice
