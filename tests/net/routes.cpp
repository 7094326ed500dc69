// Default gateways out of the kernel's tables.
#include "net/routes.hpp"

#include <doctest/doctest.h>

#include "net/asio_host.hpp"

using namespace strata;

namespace {

std::string text(const std::vector<base::ip_address>& all) {
  std::string out;
  for (const auto& a : all) out += (out.empty() ? "" : " ") + a.to_string();
  return out;
}

unsigned index_of(std::string_view name) { return name == "eth0" ? 2 : 3; }

}  // namespace

TEST_CASE("the default gateways come in the order of their metric, each once") {
  constexpr auto table =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
      "eth0\t00000000\tFE00000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
      "eth1\t00000000\tFE00000A\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
      "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
      "eth0\t0000010A\t0200000A\t0003\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"  // a route, no default
      "down0\t00000000\t0900000A\t0002\t0\t0\t1\t00000000\t0\t0\t0\n"   // not up
      "bad0\t00000000\t0900000A\t0203\t0\t0\t1\t00000000\t0\t0\t0\n"    // reject
      "point\t00000000\t00000000\t0001\t0\t0\t1\t00000000\t0\t0\t0\n";  // a link without a next hop
  CHECK(text(net::parse_route_gateways(table)) == "10.0.0.254 192.168.2.1");
}

TEST_CASE("a link-local IPv6 gateway carries the number of its interface") {
  constexpr auto table =
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 "
      "00000001 00000000 00450003     eth0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000000000000000000000001 00000100 "
      "00000001 00000000 00000003     eth1\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff "
      "00000001 00000000 00200200       lo\n"
      "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 "
      "00000001 00000000 00000001     eth0\n";
  CHECK(text(net::parse_ipv6_route_gateways(table, index_of)) == "2001:db8::1 fe80::1%2");
}

TEST_CASE("a table that is no table has no gateways") {
  for (const auto* bad : {"", "\n\n", "x", "a b c d e f g h", "eth0\t00000000\tzz\t0003\t0\t0\t0\t00000000\n",
                          "eth0 00000000 0102A8C0 0003 0 0 -1 00000000", "eth0 00000000 0102A8C0FF 0003 0 0 1 00000000"}) {
    CHECK(net::parse_route_gateways(bad).empty());
    CHECK(net::parse_ipv6_route_gateways(bad, index_of).empty());
  }
}

TEST_CASE("this machine's gateways can be read") {
  net::asio_host h;
  for (const auto& g : h.gateways()) CHECK_FALSE(g.is_unspecified());
}
