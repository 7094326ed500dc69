#include "turn/server/allocation.hpp"

#include <algorithm>
#include <cassert>

namespace strata::turn::server {

std::optional<base::endpoint> allocation::relayed(base::ip_family f) const {
  const auto& r = relay_of(f);
  return r ? std::optional(r->address) : std::nullopt;
}

void allocation::remove(base::ip_family f) {
  relay_of(f).reset();
  std::erase_if(permissions_, [f](const auto& p) { return p.first.family() == f; });
  std::erase_if(channels_, [f](const auto& c) { return c.second.peer.address.family() == f; });
  std::erase_if(numbers_, [f](const auto& n) { return n.first.address.family() == f; });
  assert(invariant());
}

void allocation::refresh(base::ip_family f, base::instant expires) {
  if (auto& r = relay_of(f)) r->expires = expires;
}

base::instant allocation::expires(base::ip_family f) const {
  const auto& r = relay_of(f);
  return r ? r->expires : base::instant::min();
}

base::instant allocation::first_expiry() const {
  auto first = base::never;
  for (const auto& r : relays_)
    if (r) first = std::min(first, r->expires);
  return first;
}

bool allocation::permit(std::span<const base::ip_address> peers, base::instant now, const rules_config& c) {
  sweep(now);
  std::vector<base::ip_address> fresh;
  for (const auto& p : peers)
    if (!permissions_.contains(p) && std::ranges::find(fresh, p) == fresh.end()) fresh.push_back(p);
  if (permissions_.size() + fresh.size() > c.limits.permissions) return false;
  // RFC 8656 §9: made, or its time set back to the whole.
  for (const auto& p : peers) permissions_[p] = now + c.permission_lifetime;
  return true;
}

bool allocation::permitted(const base::ip_address& peer, base::instant now) const {
  const auto at = permissions_.find(peer);
  return at != permissions_.end() && at->second > now;
}

allocation::bind_verdict allocation::bind(std::uint16_t number, const base::endpoint& peer, base::instant now,
                                          const rules_config& c) {
  sweep(now);
  const auto by_number = channels_.find(number);
  const auto by_peer = numbers_.find(peer);
  // RFC 8656 §12.2: neither the number nor the peer may be bound to another.
  if (by_number != channels_.end() && by_number->second.peer != peer) return bind_verdict::conflict;
  if (by_peer != numbers_.end() && by_peer->second != number) return bind_verdict::conflict;
  if (by_number == channels_.end() && channels_.size() >= c.limits.channels) return bind_verdict::full;
  if (!permit(std::span(&peer.address, 1), now, c)) return bind_verdict::full;
  channels_[number] = {peer, now + c.channel_lifetime};
  numbers_[peer] = number;
  assert(invariant());
  return bind_verdict::bound;
}

std::optional<base::endpoint> allocation::peer_of(std::uint16_t number, base::instant now) const {
  const auto at = channels_.find(number);
  return at != channels_.end() && at->second.expires > now ? std::optional(at->second.peer) : std::nullopt;
}

std::optional<std::uint16_t> allocation::channel_of(const base::endpoint& peer, base::instant now) const {
  const auto at = numbers_.find(peer);
  if (at == numbers_.end() || !peer_of(at->second, now)) return std::nullopt;
  return at->second;
}

void allocation::sweep(base::instant now) {
  std::erase_if(permissions_, [now](const auto& p) { return p.second <= now; });
  std::erase_if(numbers_, [&](const auto& n) { return !peer_of(n.second, now); });
  std::erase_if(channels_, [now](const auto& c) { return c.second.expires <= now; });
}

bool allocation::invariant() const {
  if (channels_.size() != numbers_.size()) return false;
  return std::ranges::all_of(channels_, [this](const auto& c) {
    const auto at = numbers_.find(c.second.peer);
    return at != numbers_.end() && at->second == c.first && has(c.second.peer.address.family());
  });
}

}  // namespace strata::turn::server
