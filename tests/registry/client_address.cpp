#include "registry/client_address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace strata;
using namespace strata::registry;

namespace {

struct row {
  std::string_view what, tcp_peer;
  std::vector<std::string_view> forwarded_for;
  bool otherwise;
  std::string_view address;
  bool local;
};

// Trusted: 10.0.0.0/8, 127.0.0.1, fd00::/8.
std::vector<row> rows() {
  return {
      {"no proxy", "203.0.113.9", {}, false, "203.0.113.9", false},
      {"a program on this machine", "127.0.0.1", {}, false, "127.0.0.1", true},
      {"the same over IPv6", "::1", {}, false, "::1", true},
      {"the same, mapped", "::ffff:127.0.0.1", {}, false, "127.0.0.1", true},
      {"a stranger's field is not believed", "203.0.113.9", {"127.0.0.1"}, false, "203.0.113.9", false},
      {"one trusted proxy", "10.0.0.1", {"203.0.113.9"}, false, "203.0.113.9", false},
      {"what the client wrote itself stays unread", "10.0.0.1", {"127.0.0.1, 203.0.113.9"}, false, "203.0.113.9", false},
      {"two trusted proxies", "10.0.0.1", {"203.0.113.9, 10.0.0.2"}, false, "203.0.113.9", false},
      {"two proxies in two fields", "10.0.0.1", {"1.2.3.4, 203.0.113.9", "10.0.0.2"}, false, "203.0.113.9", false},
      {"an untrusted proxy in between ends the way",
       "10.0.0.1",
       {"1.2.3.4, 198.51.100.7, 10.0.0.2"},
       false,
       "198.51.100.7",
       false},
      {"everybody is trusted: the first of them", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, false, "10.0.0.3", false},
      {"a proxy on this machine", "127.0.0.1", {"203.0.113.9"}, false, "203.0.113.9", false},
      {"a client on this machine behind it", "127.0.0.1", {"127.0.0.1"}, false, "127.0.0.1", false},
      {"a proxy on this machine that nobody told us about", "::1", {"203.0.113.9"}, false, "::1", false},
      {"one that says so in another way", "127.0.0.1", {}, true, "127.0.0.1", false},
      {"an empty field", "10.0.0.1", {""}, false, "10.0.0.1", false},
      {"commas only", "10.0.0.1", {",,,"}, false, "10.0.0.1", false},
      {"a comma at the end", "10.0.0.1", {"203.0.113.9,"}, false, "10.0.0.1", false},
      {"unknown", "10.0.0.1", {"unknown"}, false, "10.0.0.1", false},
      {"nonsense behind a good hop", "10.0.0.1", {"x, 10.0.0.2"}, false, "10.0.0.2", false},
      {"a name", "10.0.0.1", {"localhost"}, false, "10.0.0.1", false},
      {"octal", "10.0.0.1", {"0127.0.0.1"}, false, "10.0.0.1", false},
      {"spaces and tabs", "10.0.0.1", {" \t203.0.113.9\t "}, false, "203.0.113.9", false},
      {"with a port", "10.0.0.1", {"203.0.113.9:4711"}, false, "203.0.113.9", false},
      {"IPv6", "fd00::1", {"2001:db8::9"}, false, "2001:db8::9", false},
      {"IPv6 in brackets", "fd00::1", {"[2001:db8::9]"}, false, "2001:db8::9", false},
      {"IPv6 in brackets with a port", "fd00::1", {"[2001:db8::9]:80"}, false, "2001:db8::9", false},
      {"IPv4 in brackets", "10.0.0.1", {"[203.0.113.9]"}, false, "10.0.0.1", false},
      {"a mapped hop is the IPv4 address that it is",
       "10.0.0.1",
       {"203.0.113.9, ::ffff:10.0.0.2"},
       false,
       "203.0.113.9",
       false},
      {"a mapped peer is, too", "::ffff:10.0.0.1", {"203.0.113.9"}, false, "203.0.113.9", false},
  };
}

}  // namespace

TEST_CASE("the client is the rightmost hop that is no trusted proxy") {
  using turn::server::address_prefix;
  const std::vector trusted{*address_prefix::parse("10.0.0.0/8"), *address_prefix::parse("127.0.0.1"),
                            *address_prefix::parse("fd00::/8")};
  for (const auto& r : rows()) {
    CAPTURE(r.what);
    const auto c = find_client(*base::ip_address::parse(r.tcp_peer), r.forwarded_for, r.otherwise, trusted);
    CHECK(c.address.to_string() == r.address);
    CHECK(c.local() == r.local);
  }
}

TEST_CASE("with no trusted proxies nothing that a request says is believed") {
  const std::vector<std::string_view> fields{"1.2.3.4"};
  const auto c = find_client(*base::ip_address::parse("127.0.0.1"), fields, false, {});
  CHECK(c.address.is_loopback());
  CHECK_FALSE(c.local());
}

TEST_CASE("a list of hops without end is not followed to its end") {
  using turn::server::address_prefix;
  std::string many = "203.0.113.9";
  for (int i = 0; i < 10'000; ++i) many += ",10.0.0.2";
  const std::vector<std::string_view> fields{many};
  const std::vector trusted{*address_prefix::parse("10.0.0.0/8")};
  CHECK(find_client(*base::ip_address::parse("10.0.0.1"), fields, false, trusted).address.to_string() == "10.0.0.2");
}
