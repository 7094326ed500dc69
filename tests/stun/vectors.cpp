// The published messages, byte by byte (specs/rfc/vectors).
#include <doctest/doctest.h>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "vector_file.hpp"

using namespace strata;
using namespace strata::stun;

namespace {
const std::string password = "VOkJxbRl1RmTxUk/WvJxBt";
const std::string matrix = "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9";  // U+30DE …
}  // namespace

// req: 8489-14.5-a 8489-14.7-b 8489-14-c 8489-9.1.1-a
TEST_CASE("the RFC 5769 request with short-term credentials checks out") {
  const auto data = test::vector("rfc5769-2.1-request-short-term");
  const auto m = message_view::parse(data);
  REQUIRE(m);
  CHECK(m->is(message_class::request, method::binding));
  CHECK(m->get<software>()->text == "STUN test client");
  CHECK(m->get<username>()->text == "evtj:h6vY");
  CHECK(m->get<priority>()->value == 0x6e0001ff);
  CHECK(m->get<ice_controlled>()->value == 0x932ff9b151263b36);
  CHECK(check_integrity(*m, short_term_key(password)));
  CHECK(check_integrity(*m, short_term_key("wrong")).error() == make_error_code(errc::bad_integrity));
  CHECK(check_fingerprint(*m) == fingerprint_check::valid);
}

// req: 8489-14.2-a
TEST_CASE("the RFC 5769 responses map to their addresses, IPv4 and IPv6") {
  for (const auto& [file, address] : {std::pair{"rfc5769-2.2-response-ipv4", "192.0.2.1:32853"},
                                      std::pair{"rfc5769-2.3-response-ipv6", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"}}) {
    const auto data = test::vector(file);
    const auto m = message_view::parse(data);
    REQUIRE(m);
    CHECK(m->is(message_class::success, method::binding));
    CHECK(m->get<xor_mapped_address>()->endpoint == base::endpoint::parse(address));
    CHECK(m->get<software>()->text == "test vector");
    CHECK(check_integrity(*m, short_term_key(password)));
    CHECK(check_fingerprint(*m) == fingerprint_check::valid);
  }
}

// req: 8489-9.2.2-a
TEST_CASE("the RFC 5769 request with long-term credentials checks out") {
  const auto data = test::vector("rfc5769-2.4-request-long-term");
  const auto m = message_view::parse(data);
  REQUIRE(m);
  CHECK(m->get<username>()->text == matrix);
  CHECK(m->get<nonce>()->text == "f//499k954d6OL34oL9FSTvy64sA");
  CHECK(m->get<realm>()->text == "example.org");
  CHECK(check_integrity(*m, long_term_key(matrix, "example.org", "TheMatrIX")));
  CHECK(check_fingerprint(*m) == fingerprint_check::absent);
}

// req: 8489-14.4-a 8489-14.6-b
TEST_CASE("the corrected RFC 8489 B.1 request with USERHASH and SHA-256 checks out") {
  const auto data = test::vector("rfc8489-b.1-errata-request-sha256-userhash");
  const auto m = message_view::parse(data);
  REQUIRE(m);
  CHECK(*m->get<userhash>() == hash_username(matrix, "example.org"));
  CHECK(m->get<password_algorithm>()->algorithm == algorithm::sha256);
  CHECK(check_integrity(*m, long_term_key(matrix, "example.org", "TheMatrIX", algorithm::sha256)));
}

// req: 8489-5-f
TEST_CASE("RFC 8489 B.1 as it was printed is refused at its length field") {
  const auto m = message_view::parse(test::vector("rfc8489-b.1-as-published-INVALID"));
  REQUIRE_FALSE(m);
  CHECK(m.error() == make_error_code(errc::length_mismatch));
  CHECK(m.error().offset == 2);
}

TEST_CASE("a message is written as RFC 5769 has it, apart from its padding") {
  base::bytes out;
  const auto original = test::vector("rfc5769-2.2-response-ipv4");
  const auto m = message_view::parse(original);
  message_writer w(out, m->type(), m->transaction_id());
  w.add(software{"test vector"}).add(*m->get<xor_mapped_address>());
  w.integrity(short_term_key(password)).fingerprint();
  REQUIRE(w.status());
  CHECK(out.size() == original.size());
  CHECK(out[20 + 4 + 11] == 0);  // the vector has a space there
  const auto again = message_view::parse(out);
  REQUIRE(again);
  CHECK(check_integrity(*again, short_term_key(password)));
  CHECK(check_fingerprint(*again) == fingerprint_check::valid);
}
