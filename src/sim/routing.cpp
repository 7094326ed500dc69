#include "sim/routing.hpp"

#include <algorithm>

namespace strata::sim {

const net::interface_address* find_address(std::span<const net::interface_address> own, const base::ip_address& a) {
  for (const auto& i : own)
    if (std::ranges::equal(i.address.octets(), a.octets()) && i.address.family() == a.family()) return &i;
  return nullptr;
}

namespace {

std::size_t common_bits(const base::ip_address& a, const base::ip_address& b) {
  const auto x = a.octets(), y = b.octets();
  std::size_t bits = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (int bit = 7; bit >= 0; --bit, ++bits)
      if (((x[i] ^ y[i]) >> bit & 1) != 0) return bits;
  return bits;
}

}  // namespace

std::optional<base::ip_address> select_source(std::span<const net::interface_address> own, const base::ip_address& to) {
  // To itself a machine speaks from the address it speaks to.
  if (const auto* self = find_address(own, to); self != nullptr && self->up) return self->address;
  if (to.is_loopback()) return std::nullopt;
  const net::interface_address* best = nullptr;
  std::size_t best_score = 0;
  for (const auto& i : own) {
    if (!i.up || i.address.family() != to.family() || i.loopback) continue;
    // RFC 6724 §5: the right scope first, then what is not deprecated, then the longest common prefix.
    std::size_t score = common_bits(i.address, to) + 1;
    if (!i.deprecated) score += 1000;
    if (i.address.is_link_local() == to.is_link_local() || to.is_multicast()) score += 10000;
    if (score > best_score) {
      best = &i;
      best_score = score;
    }
  }
  if (best != nullptr) return best->address;
  return std::nullopt;
}

}  // namespace strata::sim
