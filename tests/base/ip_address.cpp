#include <doctest/doctest.h>

#include "base/endpoint.hpp"

using namespace strata::base;

TEST_CASE("endpoints round-trip through text") {
  for (const char* text : {"192.0.2.1:3478", "[2001:db8::1]:80", "[fe80::1%2]:9", "0.0.0.0:0"}) {
    const auto e = endpoint::parse(text);
    REQUIRE(e);
    CHECK(e->to_string() == text);
  }
}

TEST_CASE("text that is no endpoint is refused") {
  for (const char* bad : {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3:4", "256.1.1.1:1", "2001:db8::1:80",
                          "[1.2.3.4]:5", "[::1]", "[::1]:x", "name:80", "1.2.3.4:-1", "1.2.3.4: 1"})
    CHECK_FALSE(endpoint::parse(bad));
}

TEST_CASE("addresses know what kind they are") {
  CHECK(ip_address::parse("127.0.0.2")->is_loopback());
  CHECK(ip_address::parse("::1")->is_loopback());
  CHECK(ip_address::parse("169.254.3.4")->is_link_local());
  CHECK(ip_address::parse("fe80::1")->is_link_local());
  CHECK(ip_address::parse("100.64.0.1")->is_private());
  CHECK(ip_address::parse("fd00::2")->is_private());
  CHECK_FALSE(ip_address::parse("172.32.0.1")->is_private());
  CHECK(ip_address::parse("::ffff:10.0.0.1")->unmapped() == ip_address::v4(10, 0, 0, 1));
  CHECK(ip_address::parse("ff02::fb")->is_multicast());
  CHECK(ip_address::parse("::")->is_unspecified());
}
