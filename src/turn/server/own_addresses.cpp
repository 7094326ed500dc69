#include "turn/server/own_addresses.hpp"

#include <algorithm>

namespace strata::turn::server {
namespace {

bool contains(const std::vector<base::ip_address>& list, const base::ip_address& a) {
  return std::ranges::find(list, a) != list.end();
}

bool named(const peer_policy& policy, const base::ip_address& a) {
  return std::ranges::any_of(policy.allowed, [&](const address_prefix& p) { return p.contains(a); });
}

bool refused(const peer_policy& policy, const base::ip_address& a) {
  return std::ranges::any_of(policy.refused, [&](const address_prefix& p) { return p.contains(a); });
}

// A translator on the way would bring such a packet back to us, past the check of ports.
bool hides_ours(const own_addresses& own, const base::ip_address& peer) {
  const auto inside = embedded(peer);
  return std::ranges::any_of(inside, [&](const auto& a) { return contains(own.relay, a) || contains(own.machine, a); });
}

}  // namespace

bool may_permit(const peer_policy& policy, const own_addresses& own, const base::ip_address& peer) {
  if (hides_ours(own, peer)) return false;
  if (contains(own.relay, peer)) return !refused(policy, peer);
  if (contains(own.machine, peer) && !named(policy, peer)) return false;
  return judge(policy, peer).admitted;
}

bool may_send(const peer_policy& policy, const own_addresses& own, const base::endpoint& peer) {
  if (peer.port == 0 || !may_permit(policy, own, peer.address)) return false;
  if (!contains(own.relay, peer.address) && !contains(own.machine, peer.address)) return true;
  if (std::ranges::find(own.listening, peer.port) != own.listening.end()) return false;
  const bool ours = contains(own.relay, peer.address) && peer.port >= own.first_port && peer.port <= own.last_port;
  return ours || named(policy, peer.address);
}

}  // namespace strata::turn::server
