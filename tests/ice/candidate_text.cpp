#include "ice/candidate_text.hpp"

#include <doctest/doctest.h>

#include "ice/error.hpp"

using namespace strata;
using namespace strata::ice;

namespace {

void refused(std::string_view line, errc why, std::size_t at) {
  INFO(line);
  const auto c = parse_candidate(line);
  REQUIRE_FALSE(c);
  CHECK(c.error() == make_error_code(why));
  CHECK(c.error().offset == at);
}

void unchanged(std::string_view line) {
  INFO(line);
  const auto c = parse_candidate(line);
  REQUIRE(c);
  CHECK(format(*c) == line);
}

}  // namespace

// req: 8839-5.1-j
TEST_CASE("a browser's candidate is read with everything it says, known or not") {
  const auto c = parse_candidate(
      "a=candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 10.0.17.1 rport 46155 generation 2 ufrag EEtu "
      "network-id 3 network-cost 999\r\n");
  REQUIRE(c);
  CHECK(c->foundation == "842163049");
  CHECK(c->component == 1);
  CHECK(c->protocol == transport::udp);
  CHECK(c->priority == 1677729535);
  CHECK(c->address.to_string() == "198.51.100.7:46154");
  CHECK(c->type == candidate_type::server_reflexive);
  CHECK(c->related->to_string() == "10.0.17.1:46155");
  CHECK(c->generation == 2u);
  CHECK(c->ufrag == "EEtu");
  CHECK(c->extensions == std::vector<extension>{{"network-id", "3"}, {"network-cost", "999"}});
}

TEST_CASE("what was read is written as it was") {
  unchanged("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host");
  unchanged("candidate:a+/Z 256 udp 1 2001:db8::1 65535 typ host");
  unchanged("candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active");
  unchanged("candidate:2 1 tcp 1518280447 192.0.2.1 9 typ srflx raddr 10.0.0.1 rport 9 tcptype passive");  // req: 6544-4.5-d
  unchanged("candidate:2 1 udp 7 192.0.2.1 5 typ relay raddr 203.0.113.9 rport 7 generation 0 ufrag abcd x y");
  unchanged("candidate:1 1 udp 2113937151 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 54596 typ host generation 0");
  unchanged("candidate:1 1 udp 2113937151 192.0.2.1 54596 typ prflx raddr 0.0.0.0 rport 0");
}

TEST_CASE("a line may begin at the attribute, at its value, or behind the colon, and transports in any case") {
  for (const auto* line : {"a=candidate:1 1 UDP 9 192.0.2.1 5 typ host", "candidate:1 1 Udp 9 192.0.2.1 5 typ host",
                           "1 1 udp 9 192.0.2.1 5 typ host", "1  1\tudp 9 192.0.2.1 5 typ host  "})
    CHECK(format(*parse_candidate(line)) == "candidate:1 1 udp 9 192.0.2.1 5 typ host");
}

TEST_CASE("the empty candidate ends the candidates") {
  for (const auto* line : {"", "a=candidate:", "candidate:", "\r\n", "a=end-of-candidates", "end-of-candidates"})
    CHECK(parse_candidate(line).error() == make_error_code(errc::end_of_candidates));
}

// req: 8839-5.1-c
TEST_CASE("a host name is kept as a name, and only .local is one to resolve") {
  const auto c = parse_candidate("1 1 udp 9 host.example 5 typ host");
  REQUIRE(c);
  CHECK(c->name == "host.example");
  CHECK_FALSE(c->is_mdns());
  CHECK(parse_candidate("1 1 udp 9 x.local 5 typ host")->is_mdns());
  CHECK_FALSE(parse_candidate("1 1 udp 9 x.local.example 5 typ host")->is_mdns());
}

// req: 8839-5.1-g, 8839-5.1-h, 8839-5.1-i
TEST_CASE("derived candidates always say where they come from, or hide it; host candidates never do") {
  candidate c;
  c.foundation = "1";
  c.priority = 9;
  c.address = *base::endpoint::parse("192.0.2.1:5");
  c.related = *base::endpoint::parse("10.0.0.1:6");
  CHECK(format(c) == "candidate:1 1 udp 9 192.0.2.1 5 typ host");
  for (auto t : {candidate_type::server_reflexive, candidate_type::peer_reflexive, candidate_type::relayed}) {
    c.type = t;
    CHECK(format(c) == "candidate:1 1 udp 9 192.0.2.1 5 typ " + std::string(to_string(t)) + " raddr 10.0.0.1 rport 6");
  }
  c.related.reset();
  CHECK(format(c).ends_with("raddr 0.0.0.0 rport 9"));
  c.address = *base::endpoint::parse("[2001:db8::1]:5");
  CHECK(format(c).ends_with("raddr :: rport 9"));
}

// req: 8839-5.1-a, 8839-5.1-d, 8839-5.1-e, 8839-5.1-f, 8445-5.1.2.1-f, 8445-5.1.2-a
TEST_CASE("what is out of the grammar or out of range is refused, and said where") {
  const std::string f32(32, 'f'), f33(33, 'f');
  CHECK(parse_candidate(f32 + " 1 udp 9 192.0.2.1 5 typ host"));
  refused(f33 + " 1 udp 9 192.0.2.1 5 typ host", errc::out_of_range, 0);
  refused("candidate: 1 udp 9 192.0.2.1 5 typ host", errc::malformed, 13);  // the component stands where the foundation belongs
  refused("f-1 1 udp 9 192.0.2.1 5 typ host", errc::malformed, 0);
  refused("1 0 udp 9 192.0.2.1 5 typ host", errc::out_of_range, 2);
  refused("1 257 udp 9 192.0.2.1 5 typ host", errc::out_of_range, 2);
  refused("1 100000 udp 9 192.0.2.1 5 typ host", errc::malformed, 2);
  refused("1 -1 udp 9 192.0.2.1 5 typ host", errc::malformed, 2);
  refused("1 1 sctp 9 192.0.2.1 5 typ host", errc::unsupported_transport, 4);
  refused("1 1 udp 0 192.0.2.1 5 typ host", errc::out_of_range, 8);
  CHECK(parse_candidate("1 1 udp 2147483647 192.0.2.1 5 typ host"));
  refused("1 1 udp 2147483648 192.0.2.1 5 typ host", errc::out_of_range, 8);
  refused("1 1 udp 99999999999 192.0.2.1 5 typ host", errc::malformed, 8);
  refused("1 1 udp 9x 192.0.2.1 5 typ host", errc::malformed, 8);
  refused("1 1 udp 9 192.0.2.256 5 typ host", errc::unsupported_address, 10);
  refused("1 1 udp 9 IP9:abc 5 typ host", errc::unsupported_address, 10);
  refused("1 1 udp 9 fe80::1%3 5 typ host", errc::unsupported_address, 10);
  refused("1 1 udp 9 .local 5 typ host", errc::unsupported_address, 10);
  refused("1 1 udp 9 192.0.2.1 65536 typ host", errc::malformed, 20);
  refused("1 1 udp 9 192.0.2.1 0 typ host", errc::out_of_range, 20);
  refused("1 1 udp 9 192.0.2.1 5 type host", errc::malformed, 22);
  refused("1 1 udp 9 192.0.2.1 5 typ HOST", errc::unsupported_type, 26);
  refused("1 1 udp 9 192.0.2.1 5 typ cloud", errc::unsupported_type, 26);
  refused("1 1 udp 9 192.0.2.1 5 typ srflx raddr 10.0.0.1 rport 65536", errc::malformed, 53);
  refused("1 1 udp 9 192.0.2.1 5 typ", errc::malformed, 25);
  refused("1 1 udp 9 192.0.2.1 5", errc::malformed, 21);
  refused("1 1 udp 9 192.0.2.1", errc::malformed, 19);
  refused("1 1 udp 9", errc::malformed, 9);
  refused("1 1 udp", errc::malformed, 7);
  refused("1 1", errc::malformed, 3);
  refused("1", errc::malformed, 1);
  refused("1 1 udp 9 192.0.2.1 5 typ host\na=x", errc::malformed, 30);
  refused(std::string_view("1 1 udp 9 192.0.2.1 5 typ host\0x", 32), errc::malformed, 30);
  refused(std::string(2049, 'a'), errc::malformed, 2048);
}

TEST_CASE("extensions are bounded, and one without a value costs nothing but itself") {
  std::string line = "1 1 udp 9 192.0.2.1 5 typ host";
  CHECK(format(*parse_candidate(line + " lonely")) == "candidate:" + line);
  for (int i = 0; i < 32; ++i) line += " n" + std::to_string(i) + " v";
  CHECK(parse_candidate(line)->extensions.size() == 32);
  CHECK(parse_candidate(line + " n v").error() == make_error_code(errc::too_many));
}
