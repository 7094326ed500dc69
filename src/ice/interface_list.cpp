#include "ice/interface_list.hpp"

#include <algorithm>
#include <array>

namespace strata::ice {
namespace {

template <std::size_t N>
bool begins_with_one_of(std::string_view name, const std::array<std::string_view, N>& prefixes) noexcept {
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return name.starts_with(p); });
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view name) noexcept {
  return std::ranges::any_of(patterns, [&](const std::string& p) { return matches(p, name); });
}

}  // namespace

interface_kind kind_of(std::string_view interface) noexcept {
  constexpr std::array<std::string_view, 12> containers = {"docker", "br-", "veth", "virbr",  "vmnet",   "vbox",
                                                           "lxc",    "cni", "cali", "podman", "flannel", "kube"};
  constexpr std::array<std::string_view, 8> tunnels = {"tun", "tap", "wg", "utun", "ppp", "tailscale", "zt", "ipsec"};
  if (begins_with_one_of(interface, containers)) return interface_kind::container;
  return begins_with_one_of(interface, tunnels) ? interface_kind::tunnel : interface_kind::ordinary;
}

bool matches(std::string_view pattern, std::string_view interface) noexcept {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == interface;
  if (!interface.starts_with(pattern.substr(0, star))) return false;
  const auto rest = pattern.substr(star + 1);
  for (auto tail = interface.substr(star);; tail.remove_prefix(1)) {
    if (matches(rest, tail)) return true;
    if (tail.empty()) return false;
  }
}

bool interface_list::permits(std::string_view interface) const noexcept {
  return !any_matches(deny, interface) && (allow.empty() || any_matches(allow, interface));
}

bool interface_list::names(std::string_view interface) const noexcept {
  return !any_matches(deny, interface) && any_matches(allow, interface);
}

}  // namespace strata::ice
