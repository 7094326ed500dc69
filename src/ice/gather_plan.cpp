#include "ice/gather_plan.hpp"

#include <algorithm>
#include <array>

namespace strata::ice {
namespace {

bool same_prefix(const base::ip_address& a, const base::ip_address& b, std::size_t bits) {
  const auto x = a.octets(), y = b.octets();
  if (x.size() != y.size() || bits > x.size() * 8) return false;
  for (std::size_t i = 0; i < bits; ++i)
    if (((x[i / 8] ^ y[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
  return true;
}

// RFC 8445 §5.1.1.1: fec0::/10, given up by RFC 3879.
bool is_site_local(const base::ip_address& a) {
  const auto o = a.octets();
  return a.is_v6() && o[0] == 0xfe && (o[1] & 0xc0) == 0xc0;
}
// RFC 8445 §5.1.1.1: ::a.b.c.d, given up by RFC 4291.
bool is_v4_compatible(const base::ip_address& a) {
  const auto o = a.octets();
  return a.is_v6() && !a.is_loopback() && !a.is_unspecified() &&
         std::ranges::all_of(o.first(12), [](auto b) { return b == 0; });
}
// Made from the hardware address: ff:fe in the middle of the interface identifier (RFC 4291, appendix A).
bool is_trackable(const base::ip_address& a) {
  const auto o = a.octets();
  return a.is_v6() && o[11] == 0xff && o[12] == 0xfe;
}

// Lower is better. Loopback is there for development only, link-local IPv4 means that nobody gave us an address.
int rank(const network_address& a) {
  if (a.loopback) return 4;
  if (a.address.is_link_local()) return 3;
  return static_cast<int>(kind_of(a.interface));
}

// A container engine's bridge is left out while there is another way, unless the operator names it: checks from there
// would only take the place of better ones.
bool is_spare(const network_address& a, std::span<const network_address> all, const gather_options& o) {
  if (kind_of(a.interface) != interface_kind::container || o.interfaces.names(a.interface)) return false;
  return std::ranges::any_of(all, [&](const network_address& other) {
    return other.up && !other.loopback && !other.address.is_link_local() &&
           kind_of(other.interface) != interface_kind::container && o.interfaces.permits(other.interface);
  });
}

}  // namespace

std::optional<std::string_view> why_not(const network_address& a, std::span<const network_address> all,
                                        const gather_options& o) {
  const auto& ip = a.address;
  if (!a.up) return "its interface is down";
  if (!o.interfaces.permits(a.interface)) return "its interface is not allowed";
  if (is_spare(a, all, o)) return "a container's bridge, and there are other ways";
  if (ip.is_unspecified() || ip.is_multicast()) return "not the address of a host";
  if (ip.is_v6() && !o.ipv6) return "IPv6 is switched off";
  if ((a.loopback || ip.is_loopback()) && !o.allow_loopback) return "loopback";
  if (ip.is_v4_mapped()) return "IPv4-mapped";
  if (is_v4_compatible(ip) && !ip.is_loopback()) return "IPv4-compatible";
  if (is_site_local(ip)) return "site-local";
  if (ip.is_v6() && ip.is_link_local()) return "link-local";
  if (a.deprecated) return "deprecated";
  // RFC 8445 §5.1.1.1: not the trackable address where a privacy address of the same prefix exists. A stable random
  // identifier (RFC 7217) names this machine in this network as well, so it steps back, too.
  const auto privacy = [&](const network_address& other) {
    return other.temporary && !other.deprecated && other.up && other.index == a.index &&
           same_prefix(other.address, ip, a.prefix_length == 0 ? 64 : a.prefix_length);
  };
  if (ip.is_v6() && !a.temporary && std::ranges::any_of(all, privacy))
    return is_trackable(ip) ? "trackable, and a privacy address exists" : "a privacy address of its network exists";
  return std::nullopt;
}

std::vector<bool> interleave(std::size_t n4, std::size_t n6) {
  std::vector<bool> order;
  order.reserve(n4 + n6);
  const std::size_t head_start = n4 == 0 ? n6 : (n4 + n6) / n4;
  while (n4 + n6 > 0) {
    for (std::size_t i = 0; i < head_start && n6 > 0; ++i, --n6) order.push_back(true);
    if (n4 > 0) {
      order.push_back(false);
      --n4;
    }
  }
  return order;
}

std::vector<planned_base> plan_bases(std::span<const network_address> all, const gather_options& o) {
  std::vector<network_address> usable;
  for (const auto& a : all) {
    const auto known = [&](const network_address& other) { return other.address == a.address; };
    if (!why_not(a, all, o) && std::ranges::none_of(usable, known)) usable.push_back(a);
  }
  std::vector<planned_base> plan;
  // Families take turns within a rank: a container bridge's IPv6 address does not come before the real IPv4 one.
  for (int r = 0; r <= 4; ++r) {
    std::vector<network_address> v4, v6;
    for (const auto& a : usable)
      if (rank(a) == r) (a.address.is_v6() ? v6 : v4).push_back(a);
    auto next4 = v4.begin(), next6 = v6.begin();
    for (const bool six : interleave(v4.size(), v6.size())) plan.push_back({six ? *next6++ : *next4++});
  }
  if (plan.size() > std::min<std::size_t>(o.max_addresses, 255)) plan.resize(std::min<std::size_t>(o.max_addresses, 255));
  std::uint16_t preference = 65535;  // RFC 8445 §5.1.2.1: a single address has this one
  for (auto& b : plan) {
    b.local_preference = preference;
    preference = static_cast<std::uint16_t>(preference - 256);
  }
  return plan;
}

bool worth_asking(const base::ip_address& base_address, const base::ip_address& server) noexcept {
  return base_address.family() == server.family() && base_address.is_loopback() == server.is_loopback();
}

}  // namespace strata::ice
