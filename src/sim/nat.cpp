#include "sim/nat.hpp"

#include <algorithm>

namespace strata::sim {
namespace {
constexpr std::uint16_t first_port = 1024;
}  // namespace

base::endpoint nat_table::blur(const base::endpoint& remote, dependence d) noexcept {
  switch (d) {
    case dependence::endpoint_independent: return {};
    case dependence::address_dependent: return {remote.address, 0};
    case dependence::address_and_port_dependent: return remote;
  }
  return {};
}

std::optional<base::endpoint> nat_table::outbound(protocol p, const base::endpoint& inside, const base::endpoint& remote,
                                                  base::ip_family family, base::instant now, segment_kind kind) {
  expire(now);
  const inside_key key{p, inside, blur(remote, behaviour_.mapping), family};
  auto known = by_inside_.find(key);
  if (known == by_inside_.end()) {
    const auto outside = allocate(p, inside, family);
    if (!outside) return std::nullopt;
    known = by_inside_.emplace(key, *outside).first;
    by_outside_[{p, *outside}].key = key;
  }
  auto& m = by_outside_.at({p, known->second});
  if (p == protocol::tcp) {
    m.connections[remote].pass(tcp_session::direction::out, kind, now);
    return known->second;
  }
  m.last_out = now;
  m.let_in[blur(remote, behaviour_.filtering)] = now;
  return known->second;
}

nat_table::verdict nat_table::inbound(protocol p, const base::endpoint& outside, const base::endpoint& remote,
                                      base::instant now, segment_kind kind) {
  expire(now);
  const auto m = by_outside_.find({p, outside});
  if (m == by_outside_.end()) return {std::nullopt, "no mapping"};
  if (!lets_in(m->second, remote)) return {std::nullopt, "filtered"};
  if (p == protocol::tcp) m->second.connections[remote].pass(tcp_session::direction::in, kind, now);
  return {std::get<1>(m->second.key), {}};
}

bool nat_table::lets_in(const mapping& m, const base::endpoint& remote) const {
  const auto blurred = blur(remote, behaviour_.filtering);
  return m.let_in.contains(blurred) ||
         std::ranges::any_of(m.connections, [&](const auto& c) { return blur(c.first, behaviour_.filtering) == blurred; });
}

bool nat_table::forgotten(protocol p, mapping& m, base::instant now) const {
  if (p == protocol::tcp) {
    std::erase_if(m.connections, [&](const auto& c) { return c.second.forgotten(now, behaviour_.tcp); });
    return m.connections.empty();
  }
  std::erase_if(m.let_in, [&](const auto& entry) { return now - entry.second >= behaviour_.mapping_timeout; });
  return now - m.last_out >= behaviour_.mapping_timeout;
}

std::optional<base::endpoint> nat_table::allocate(protocol p, const base::endpoint& inside, base::ip_family family) {
  const auto address = std::ranges::find(outside_, family, [](const base::ip_address& a) { return a.family(); });
  if (address == outside_.end()) return std::nullopt;
  const auto is_free = [&](std::uint16_t port) { return port >= first_port && !by_outside_.contains({p, {*address, port}}); };
  if (behaviour_.ports == port_allocation::preserving && is_free(inside.port)) return base::endpoint{*address, inside.port};
  for (int tries = 0; tries < 65536; ++tries) {
    const auto port = behaviour_.ports == port_allocation::random
                          ? static_cast<std::uint16_t>(first_port + generator_.next() % (65536 - first_port))
                          : next_port_++;
    if (is_free(port)) return base::endpoint{*address, port};
  }
  return std::nullopt;
}

void nat_table::expire(base::instant now) {
  for (auto m = by_outside_.begin(); m != by_outside_.end();) {
    if (!forgotten(m->first.first, m->second, now)) {
      ++m;
      continue;
    }
    by_inside_.erase(m->second.key);
    m = by_outside_.erase(m);
  }
}

void nat_table::forget_all() noexcept {
  by_inside_.clear();
  by_outside_.clear();
}

}  // namespace strata::sim
