// The interfaces of this machine with their addresses and flags.
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <net/if.h>

#include <bit>
#include <cstdio>
#include <map>

#include "base/hex.hpp"
#include "net/asio_private.hpp"

namespace strata::net::detail {
namespace {

std::uint8_t prefix_of(const sockaddr* mask) {
  if (mask == nullptr) return 0;
  sockaddr_storage s{};
  std::memcpy(&s, mask, mask->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  int bits = 0;
  const auto address = from_native(s).address;
  for (const auto octet : address.octets()) bits += std::popcount(octet);
  return static_cast<std::uint8_t>(bits);
}

// getifaddrs does not tell which IPv6 addresses are temporary or deprecated; the kernel's table does:
// "<32 hex digits> <index> <prefix> <scope> <flags> <name>".
std::map<base::bytes, unsigned> ipv6_flags() {
  std::map<base::bytes, unsigned> flags;
  std::FILE* f = std::fopen("/proc/net/if_inet6", "re");
  if (f == nullptr) return flags;
  char digits[33], name[64];
  unsigned index, prefix, scope, bits;
  while (std::fscanf(f, "%32s %x %x %x %x %63s", digits, &index, &prefix, &scope, &bits, name) == 6)
    if (auto octets = base::from_hex(digits)) flags[*octets] = bits;
  std::fclose(f);
  return flags;
}

}  // namespace

std::vector<interface_address> read_interfaces() {
  std::vector<interface_address> all;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return all;
  const auto v6 = ipv6_flags();
  for (const auto* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6)) continue;
    sockaddr_storage s{};
    std::memcpy(&s, i->ifa_addr, i->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    interface_address a;
    a.name = i->ifa_name;
    a.index = ::if_nametoindex(i->ifa_name);
    a.address = from_native(s).address;
    a.prefix_length = prefix_of(i->ifa_netmask);
    a.up = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_RUNNING) != 0;
    a.loopback = (i->ifa_flags & IFF_LOOPBACK) != 0;
    a.point_to_point = (i->ifa_flags & IFF_POINTOPOINT) != 0;
    a.multicast = (i->ifa_flags & IFF_MULTICAST) != 0;
    if (const auto f = v6.find(base::to_bytes(a.address.octets())); f != v6.end()) {
      a.temporary = (f->second & IFA_F_TEMPORARY) != 0;
      a.deprecated = (f->second & IFA_F_DEPRECATED) != 0;
    }
    all.push_back(std::move(a));
  }
  ::freeifaddrs(list);
  return all;
}

}  // namespace strata::net::detail
