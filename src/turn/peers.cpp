#include "turn/peers.hpp"

#include <algorithm>

#include "stun/channel_data.hpp"

namespace strata::turn {
namespace {
constexpr base::duration soon = std::chrono::seconds(5);
constexpr base::duration sulk = std::chrono::minutes(2);  // after a refusal
}  // namespace

bool peer_table::want(const base::ip_address& peer, base::instant now) {
  if (const auto known = permissions_.find(peer); known != permissions_.end()) {
    known->second.used = now;
    return true;
  }
  if (permissions_.size() >= most_permissions) forget_idle(now);
  if (permissions_.size() >= most_permissions) return false;
  permissions_[peer].used = now;
  return true;
}

bool peer_table::permitted(const base::ip_address& peer, base::instant now) const noexcept {
  const auto p = permissions_.find(peer);
  return p != permissions_.end() && now < p->second.until;
}

bool peer_table::refused(const base::ip_address& peer, base::instant now) const noexcept {
  const auto p = permissions_.find(peer);
  return p != permissions_.end() && p->second.refused && now < p->second.again;
}

std::optional<std::uint16_t> peer_table::route(const base::endpoint& peer, base::instant now) {
  want(peer.address, now);
  const auto number = numbers_.find(peer);
  if (number == numbers_.end()) {
    consider_channel(peer, now);
    return std::nullopt;
  }
  auto& c = channels_.at(number->second);
  c.used = now;
  if (now < c.until) return number->second;
  return std::nullopt;
}

// §12: worth a transaction only for a peer that much is sent to.
void peer_table::consider_channel(const base::endpoint& peer, base::instant now) {
  if (traffic_.size() >= 4 * most_permissions) traffic_.clear();
  if (++traffic_[peer] < packets_before_channel) return;
  traffic_.erase(peer);
  forget_idle(now);
  const auto resting = [&](const auto& entry) { return entry.second.peer == peer; };
  if (channels_.size() >= most_channels || std::ranges::any_of(channels_, resting)) return;
  auto number = stun::first_channel;
  while (channels_.contains(number)) ++number;
  channels_[number] = {peer, {}, now, now, false};
  numbers_[peer] = number;
}

const base::endpoint* peer_table::peer_of(std::uint16_t channel, base::instant now) const noexcept {
  const auto c = channels_.find(channel);
  if (c == channels_.end()) return nullptr;
  // §12.1: the first data may overtake the answer to the request. And a binding whose refresh is under way may be used by the
  // server a little longer than we count.
  if (!c->second.asked && (c->second.until == base::instant{} || now >= c->second.until + soon)) return nullptr;
  return &c->second.peer;
}

std::vector<base::ip_address> peer_table::permissions_due(base::instant now) {
  forget_idle(now);
  std::vector<base::ip_address> due;
  for (auto& [peer, p] : permissions_)
    if (!p.asked && now >= p.again && now + margin >= p.until) {
      p.asked = true;
      due.push_back(peer);
    }
  return due;
}

std::optional<peer_table::bind_request> peer_table::channel_due(base::instant now) {
  for (auto& [number, c] : channels_)
    if (!c.asked && now >= c.again && now + margin >= c.until && now < c.used + idle && numbers_.contains(c.peer)) {
      c.asked = true;
      return bind_request{number, c.peer, c.until != base::instant{}};
    }
  return std::nullopt;
}

base::instant peer_table::next_due(base::instant now) const noexcept {
  auto next = base::never;
  for (const auto& [peer, p] : permissions_)
    if (!p.asked) next = std::min(next, std::max(p.again, p.until - margin));
  for (const auto& [number, c] : channels_)
    if (!c.asked && numbers_.contains(c.peer) && now < c.used + idle)
      next = std::min(next, std::max(c.again, c.until - margin));
  return next;
}

void peer_table::granted(const base::ip_address& peer, base::instant now) {
  const auto p = permissions_.find(peer);
  if (p == permissions_.end()) return;
  p->second.asked = p->second.refused = false;
  p->second.until = now + permission_lifetime;
  p->second.again = now;
}

void peer_table::failed(const base::ip_address& peer, base::instant now, bool refused) {
  const auto p = permissions_.find(peer);
  if (p == permissions_.end()) return;
  p->second.asked = false;
  p->second.refused = refused;
  p->second.again = now + (refused ? sulk : soon);
}

void peer_table::bound(std::uint16_t channel, base::instant now) {
  const auto c = channels_.find(channel);
  if (c == channels_.end()) return;
  c->second.asked = false;
  c->second.until = now + channel_lifetime;
  c->second.again = now;
  granted(c->second.peer.address, now);  // §12.1: a binding refreshes the permission
}

void peer_table::bind_failed(std::uint16_t channel, base::instant now) {
  const auto c = channels_.find(channel);
  if (c == channels_.end()) return;
  c->second.asked = false;
  c->second.again = now + sulk;
}

void peer_table::forget_idle(base::instant now) {
  std::erase_if(permissions_, [&](const auto& entry) { return !entry.second.asked && now >= entry.second.used + idle; });
  for (auto c = channels_.begin(); c != channels_.end();) {
    auto& [number, it] = *c;
    if (now >= it.used + idle && now >= it.until) numbers_.erase(it.peer);
    // §12: neither the number nor the peer may be bound to another for a while.
    const bool gone = !numbers_.contains(it.peer) && now >= it.until + channel_rest && !it.asked;
    c = gone ? channels_.erase(c) : std::next(c);
  }
}

}  // namespace strata::turn
