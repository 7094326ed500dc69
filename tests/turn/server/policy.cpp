// Whom a relay may talk to.
#include <doctest/doctest.h>

#include "turn/server/own_addresses.hpp"

using namespace strata;
using namespace strata::turn::server;

namespace {

base::ip_address ip(std::string_view text) {
  const auto a = base::ip_address::parse(text);
  REQUIRE_MESSAGE(a, text);
  return *a;
}

struct row {
  const char* address;
  bool admitted;
};

constexpr row table[] = {
    // IPv4, at the edges of every block
    {"0.0.0.0", false},
    {"0.0.0.1", false},
    {"0.255.255.255", false},
    {"1.0.0.0", true},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.64.0.0", false},
    {"100.100.100.200", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"127.0.0.0", false},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"128.0.0.0", true},
    {"168.63.129.15", true},
    {"168.63.129.16", false},
    {"169.253.255.255", true},
    {"169.254.0.0", false},
    {"169.254.169.254", false},
    {"169.254.255.255", false},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.0.1", false},
    {"192.0.0.170", false},
    {"192.0.1.0", true},
    {"192.0.2.1", false},
    {"192.0.3.0", true},
    {"192.88.99.1", false},
    {"192.167.255.255", true},
    {"192.168.0.0", false},
    {"192.168.255.255", false},
    {"192.169.0.0", true},
    {"198.17.255.255", true},
    {"198.18.0.0", false},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.255", false},
    {"203.0.113.0", false},
    {"203.0.114.0", true},
    {"8.8.8.8", true},
    {"223.255.255.255", true},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.1", false},
    {"255.255.255.254", false},
    {"255.255.255.255", false},
    // IPv6
    {"::", false},
    {"::1", false},
    {"2001:4860:4860::8888", true},
    {"2600::1", true},
    {"2001:db8::1", false},
    {"2001:db7:ffff::1", true},
    {"3fff::1", false},
    {"3fff:1000::1", true},
    {"2001:2::1", false},
    {"2001:20::1", false},
    {"2001:1ff:ffff::1", false},
    {"2001:200::1", true},
    {"100::1", false},
    {"5f00::1", false},
    {"4000::1", false},
    {"fc00::1", false},
    {"fd00:ec2::254", false},
    {"fdff:ffff::1", false},
    {"fe00::1", false},
    {"fe80::1", false},
    {"febf::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
    {"ff0e::1", false},
    {"64:ff9b:1::1", false},
    {"64:ff9b:1::808:808", false},
    // IPv4 inside: mapped, compatible, translated
    {"::ffff:8.8.8.8", true},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.1.2.3", false},
    {"::ffff:169.254.169.254", false},
    {"::ffff:0.0.0.0", false},
    {"::ffff:255.255.255.255", false},
    {"::8.8.8.8", true},
    {"::127.0.0.1", false},
    {"::2", false},
    {"::ffff:0:8.8.8.8", true},
    {"::ffff:0:192.168.1.1", false},
    // NAT64
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b::10.0.0.1", false},
    {"64:ff9b::7f00:1", false},
    {"64:ff9b::a9fe:a9fe", false},
    {"64:ff9b:0:0:1::808:808", false},
    // 6to4
    {"2002:808:808::1", true},
    {"2002:7f00:1::1", false},
    {"2002:a00:1::1", false},
    {"2002:a9fe:a9fe::1", false},
    {"2002:c0a8:101::c0a8:101", false},
    {"2002:e000:1::", false},
    // Teredo: the server in front, the client turned over at the end
    {"2001:0:808:808:0:0:f7f7:f7f7", true},
    {"2001:0:808:808:0:0:80ff:fffe", false},
    {"2001:0:7f00:1:0:0:f7f7:f7f7", false},
    {"2001:0:808:808:0:0:5601:5601", false},
    // ISATAP, in whatever prefix
    {"2600::5efe:8.8.8.8", true},
    {"2600::5efe:10.0.0.1", false},
    {"2600::200:5efe:127.0.0.1", false},
    {"2002:808:808::5efe:169.254.169.254", false},
    {"2600::100:5efe:10.0.0.1", true},
};

std::vector<address_prefix> prefixes(std::initializer_list<std::string_view> texts) {
  std::vector<address_prefix> list;
  for (const auto t : texts) list.push_back(*address_prefix::parse(t));
  return list;
}

}  // namespace

// req: 8656-10.2-d
TEST_CASE("what is not the open Internet is refused, in every way of writing it") {
  for (const auto& r : table) CHECK_MESSAGE(judge({}, ip(r.address)).admitted == r.admitted, r.address);
}

TEST_CASE("a policy of everything admits everything") {
  for (const auto& r : table) CHECK_MESSAGE(judge(peer_policy::everything(), ip(r.address)).admitted, r.address);
}

TEST_CASE("a special address is admitted by name, and a refusal by name wins") {
  peer_policy p{.allowed = prefixes({"10.0.0.0/8", "fd00::/8"}), .refused = prefixes({"10.9.0.0/16", "8.8.8.8", "2600::/16"})};
  CHECK(judge(p, ip("10.1.2.3")).admitted);
  CHECK(judge(p, ip("fd12::1")).admitted);
  CHECK(judge(p, ip("::ffff:10.1.2.3")).admitted);
  CHECK(judge(p, ip("64:ff9b::10.1.2.3")).admitted);
  CHECK_FALSE(judge(p, ip("10.9.0.1")).admitted);
  CHECK_FALSE(judge(p, ip("::ffff:10.9.0.1")).admitted);
  CHECK_FALSE(judge(p, ip("2002:a09:1::")).admitted);
  CHECK_FALSE(judge(p, ip("8.8.8.8")).admitted);
  CHECK_FALSE(judge(p, ip("::ffff:8.8.8.8")).admitted);
  CHECK_FALSE(judge(p, ip("2600::1")).admitted);
  CHECK_FALSE(judge(p, ip("192.168.1.1")).admitted);
}

TEST_CASE("to admit a way of tunnelling does not admit what is at its end") {
  const peer_policy p{.allowed = prefixes({"2002::/16", "64:ff9b::/96", "::/96"}), .refused = {}};
  CHECK_FALSE(judge(p, ip("2002:7f00:1::1")).admitted);
  CHECK_FALSE(judge(p, ip("64:ff9b::169.254.169.254")).admitted);
  CHECK(judge(p, ip("::1")).admitted == false);
}

TEST_CASE("a verdict names the class that spoiled it") {
  CHECK(judge({}, ip("64:ff9b::127.0.0.1")).why == address_class::loopback);
  CHECK(to_string(judge({}, ip("169.254.169.254")).why) == "link-local");
  for (int i = 0; i <= static_cast<int>(address_class::reserved); ++i)
    CHECK_FALSE(to_string(static_cast<address_class>(i)).empty());
}

TEST_CASE("a prefix is an address, a slash and a length that fits") {
  for (const auto* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "::/129",
                            "fe80::1%2", "10.0.0.0/ 8", "10.0.0.0/+8"})
    CHECK_MESSAGE(!address_prefix::parse(wrong), wrong);
  CHECK(address_prefix::parse("10.1.2.3")->length == 32);
  CHECK(address_prefix::parse("::1")->length == 128);
  const auto odd = *address_prefix::parse("10.128.0.0/9");
  CHECK(odd.contains(ip("10.255.0.1")));
  CHECK_FALSE(odd.contains(ip("10.127.0.1")));
  CHECK_FALSE(odd.contains(ip("::ffff:10.255.0.1")));
  CHECK(address_prefix::parse("0.0.0.0/0")->contains(ip("255.255.255.255")));
}

// req: 8656-11.2-e
TEST_CASE("two relayed addresses of one server may talk; the server's own door stays closed") {
  const own_addresses own{.relay = {ip("198.51.100.9"), ip("9.9.9.9")},
                          .machine = {ip("198.51.100.9"), ip("5.5.5.5"), ip("127.0.0.1")},
                          .listening = {3478, 50'000},
                          .first_port = 49152,
                          .last_port = 65535};
  CHECK(may_permit({}, own, ip("198.51.100.9")));
  CHECK(may_permit({}, own, ip("9.9.9.9")));
  CHECK(may_send({}, own, {ip("198.51.100.9"), 49152}));
  CHECK(may_send({}, own, {ip("9.9.9.9"), 65535}));
  CHECK_FALSE(may_send({}, own, {ip("198.51.100.9"), 3478}));
  CHECK_FALSE(may_send({}, own, {ip("198.51.100.9"), 50'000}));
  CHECK_FALSE(may_send({}, own, {ip("198.51.100.9"), 22}));
  CHECK_FALSE(may_send({}, own, {ip("9.9.9.9"), 53}));
  CHECK_FALSE(may_permit({}, own, ip("5.5.5.5")));
  CHECK_FALSE(may_send({}, own, {ip("5.5.5.5"), 53}));
  CHECK_FALSE(may_send({}, own, {ip("8.8.8.8"), 0}));
  CHECK(may_send({}, own, {ip("8.8.8.8"), 53}));
  // Ways back that avoid the check of ports.
  CHECK_FALSE(may_permit({}, own, ip("::ffff:9.9.9.9")));
  CHECK_FALSE(may_permit({}, own, ip("64:ff9b::9.9.9.9")));
  CHECK_FALSE(may_permit({}, own, ip("2002:505:505::1")));
  // An operator who names the machine means it, but for the server's own ports.
  const peer_policy named{.allowed = prefixes({"127.0.0.0/8", "5.5.5.5"}), .refused = {}};
  CHECK(may_send(named, own, {ip("127.0.0.1"), 6000}));
  CHECK(may_send(named, own, {ip("5.5.5.5"), 53}));
  CHECK_FALSE(may_send(named, own, {ip("127.0.0.1"), 3478}));
  const peer_policy never{.allowed = {}, .refused = prefixes({"198.51.100.9"})};
  CHECK_FALSE(may_permit(never, own, ip("198.51.100.9")));
}
