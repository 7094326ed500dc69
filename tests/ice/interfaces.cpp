// Which interfaces take part: kinds, the operator's lists, and what is left out by default.
#include <doctest/doctest.h>

#include "ice/gather_plan.hpp"

using namespace strata;
using namespace strata::ice;

namespace {

network_address on(std::string interface, const char* ip) {
  network_address a;
  a.interface = std::move(interface);
  a.index = static_cast<std::uint32_t>(a.interface.size() + 1);
  a.address = *base::ip_address::parse(ip);
  a.prefix_length = a.address.is_v4() ? 24 : 64;
  a.loopback = a.address.is_loopback();
  return a;
}

std::string planned(const std::vector<network_address>& all, gather_options o = {}) {
  std::string text;
  for (const auto& b : plan_bases(all, o)) text += (text.empty() ? "" : " ") + b.from.interface;
  return text;
}

}  // namespace

TEST_CASE("interfaces are told apart by their names") {
  for (const auto* name : {"eth0", "enp3s0", "wlan0", "wlp2s0", "ib0", "bond0", "br0"})
    CHECK(kind_of(name) == interface_kind::ordinary);
  for (const auto* name : {"wg0", "tun1", "tap0", "tailscale0", "ppp0", "ztabcdef"})
    CHECK(kind_of(name) == interface_kind::tunnel);
  for (const auto* name : {"docker0", "br-0a1b2c", "veth12", "virbr0", "lxcbr0", "cni0", "cali12"})
    CHECK(kind_of(name) == interface_kind::container);
}

TEST_CASE("patterns match as a shell's do") {
  struct row {
    const char *pattern, *name;
    bool match;
  };
  for (const auto& r : {row{"eth0", "eth0", true}, row{"eth0", "eth01", false}, row{"eth*", "eth01", true}, row{"*", "", true},
                        row{"*", "x", true}, row{"*0", "eth0", true}, row{"*0", "eth1", false}, row{"e*h*0", "eth0", true},
                        row{"e*h*0", "eth01", false}, row{"", "eth0", false}, row{"", "", true}, row{"**", "eth0", true}}) {
    CAPTURE(r.pattern);
    CAPTURE(r.name);
    CHECK(matches(r.pattern, r.name) == r.match);
  }
}

TEST_CASE("what is denied is denied, and only what is allowed takes part") {  // req: 8445-19.1-a
  const std::vector all{on("eth0", "192.0.2.1"), on("wlan0", "198.51.100.1"), on("wg0", "10.9.0.2")};
  CHECK(planned(all) == "eth0 wlan0 wg0");
  CHECK(planned(all, {.interfaces = {.allow = {}, .deny = {"wlan*"}}}) == "eth0 wg0");
  CHECK(planned(all, {.interfaces = {.allow = {"w*"}, .deny = {}}}) == "wlan0 wg0");
  CHECK(planned(all, {.interfaces = {.allow = {"w*"}, .deny = {"wg0"}}}) == "wlan0");
}

TEST_CASE("a tunnel comes after the ordinary ways") {
  CHECK(planned({on("tun0", "10.9.0.2"), on("eth0", "192.0.2.1")}) == "eth0 tun0");
}

TEST_CASE("a container's bridge takes part only when it is all there is, or is named") {
  const auto bridge = on("docker0", "172.17.0.1");
  CHECK(planned({bridge, on("eth0", "192.0.2.1")}) == "eth0");
  CHECK(planned({bridge, on("wg0", "10.9.0.2")}) == "wg0");
  CHECK(planned({bridge}) == "docker0");
  CHECK(planned({bridge, on("lo", "127.0.0.1")}) == "docker0");
  CHECK(planned({bridge, on("eth0", "192.0.2.1")}, {.interfaces = {.allow = {"*"}, .deny = {}}}) == "eth0 docker0");
}

TEST_CASE("shared address space is as good as any other: a carrier's NAT is a way out") {
  CHECK(planned({on("eth0", "100.64.3.4")}) == "eth0");
}
