// The message codec: what goes in comes out, and the limits of what may go in.
#include <doctest/doctest.h>

#include <random>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/retransmission.hpp"
#include "stun/rto_cache.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

const transaction_id id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

template <class Attribute>
base::result<Attribute> round_trip(const Attribute& a) {
  static base::bytes out;
  out.clear();
  message_writer w(out, {}, id);
  w.add(a);
  if (!w.status()) return base::fail(w.status().error());
  return message_view::parse(out)->get<Attribute>();
}

base::bytes with_value(attribute_type t, const base::bytes& value) {
  base::bytes out;
  message_writer(out, {}, id).add(t, value);
  return out;
}

}  // namespace

// req: 8489-5-g
TEST_CASE("every method of twelve bits goes through every class and back") {
  for (unsigned m = 0; m <= largest_method; ++m) {
    for (unsigned c = 0; c < 4; ++c) {
      const message_type t{static_cast<message_class>(c), static_cast<method>(m)};
      CHECK(message_type::decode(t.encode()) == t);
      CHECK(t.encode() < 0x4000);
    }
  }
  CHECK(message_type{message_class::error, method::binding}.encode() == 0x0111);
}

// req: 8489-5-b 8489-5-a
TEST_CASE("a message begins with two zero bits, and its cookie is in network order") {
  base::bytes out;
  message_writer(out, {}, id);
  CHECK(out == base::bytes{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(is_stun(out));
  for (int bit = 0; bit < 32; ++bit) {
    auto bad = out;
    bad[4 + bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    CHECK_FALSE(is_stun(bad));
    CHECK(message_view::parse(bad).error() == base::error(errc::bad_cookie, 4));
  }
  for (const std::uint8_t top : {0x40, 0x80, 0xc0}) {
    auto bad = out;
    bad[0] |= top;
    CHECK_FALSE(is_stun(bad));
    CHECK(message_view::parse(bad).error() == base::error(errc::not_stun, 0));
  }
}

// req: 8489-14-a 8489-14-b 8489-14-c 8489-5-f
TEST_CASE("values of any length are padded with zeros that their length does not count") {
  for (std::size_t size = 0; size <= 17; ++size) {
    const base::bytes value(size, 0xee);
    const auto out = with_value(attribute_type::software, value);
    CHECK(out.size() % 4 == 0);
    CHECK((out[2] << 8 | out[3]) == static_cast<int>(out.size() - header_size));
    CHECK((out[22] << 8 | out[23]) == static_cast<int>(size));
    for (std::size_t i = header_size + 4 + size; i < out.size(); ++i) CHECK(out[i] == 0);
    CHECK(std::ranges::equal(message_view::parse(out)->find(attribute_type::software)->value, value));
    auto dirty = out;
    for (std::size_t i = header_size + 4 + size; i < out.size(); ++i) dirty[i] = 0x20;
    CHECK(message_view::parse(dirty)->get<software>()->text.size() == size);
  }
}

// req: 8489-14-d
TEST_CASE("of equal attributes the first counts") {
  base::bytes out;
  message_writer(out, {}, id).add(username{"first"}).add(username{"second"});
  const auto m = *message_view::parse(out);
  CHECK(m.get<username>()->text == "first");
  CHECK(std::ranges::distance(m.begin(), m.end()) == 2);
}

// req: 8489-14.2-a 8489-14.1-b
TEST_CASE("addresses of both families go through every kind of address attribute") {
  for (const auto* text : {"192.0.2.1:32853", "0.0.0.0:0", "255.255.255.255:65535", "[2001:db8::1]:1", "[::]:0"}) {
    const auto e = *base::endpoint::parse(text);
    CHECK(round_trip(mapped_address{e})->endpoint == e);
    CHECK(round_trip(xor_mapped_address{e})->endpoint == e);
    CHECK(round_trip(xor_peer_address{e})->endpoint == e);
    CHECK(round_trip(xor_relayed_address{e})->endpoint == e);
    CHECK(round_trip(alternate_server{e})->endpoint == e);
    CHECK(round_trip(response_origin{e})->endpoint == e);
    CHECK(round_trip(other_address{e})->endpoint == e);
  }
  auto out = with_value(attribute_type::mapped_address, {0xff, 1, 0x12, 0x34, 192, 0, 2, 1});
  CHECK(message_view::parse(out)->get<mapped_address>()->endpoint.to_string() == "192.0.2.1:4660");
  base::bytes sent;
  message_writer(sent, {}, id).add(mapped_address{*base::endpoint::parse("192.0.2.1:1")});
  CHECK(sent[24] == 0);
}

TEST_CASE("numbers, flags and the attributes of ICE, TURN and RFC 5780 come back as they went in") {
  CHECK(*round_trip(priority{0x6e0001ff}) == priority{0x6e0001ff});
  CHECK(*round_trip(ice_controlled{~0ull}) == ice_controlled{~0ull});
  CHECK(*round_trip(ice_controlling{1}) == ice_controlling{1});
  CHECK(round_trip(use_candidate{}));
  CHECK(*round_trip(lifetime{3600}) == lifetime{3600});
  CHECK(round_trip(dont_fragment{}));
  CHECK(*round_trip(even_port{true}) == even_port{true});
  CHECK(*round_trip(requested_transport{6}) == requested_transport{6});
  CHECK(*round_trip(requested_address_family{base::ip_family::v6}) == requested_address_family{base::ip_family::v6});
  CHECK(*round_trip(additional_address_family{base::ip_family::v4}) == additional_address_family{base::ip_family::v4});
  CHECK(*round_trip(reservation_token{{1, 2, 3, 4, 5, 6, 7, 8}}) == reservation_token{{1, 2, 3, 4, 5, 6, 7, 8}});
  CHECK(*round_trip(icmp{127, 511, 7}) == icmp{127, 511, 7});
  CHECK_FALSE(round_trip(icmp{128, 0, 0}));
  CHECK(*round_trip(connection_id{9}) == connection_id{9});
  CHECK(*round_trip(address_error_code{base::ip_family::v6, 440, "no"}) == address_error_code{base::ip_family::v6, 440, "no"});
  CHECK(*round_trip(response_port{4711}) == response_port{4711});
  CHECK(*round_trip(userhash{{9}}) == userhash{{9}});
}

// req: 5780-7.2-a
TEST_CASE("CHANGE-REQUEST has its two flags at 0x4 and 0x2") {
  for (const auto& [c, bits] : {std::pair{change_request{true, false}, 4}, std::pair{change_request{false, true}, 2},
                                std::pair{change_request{true, true}, 6}, std::pair{change_request{}, 0}}) {
    CHECK(*round_trip(c) == c);
    base::bytes out;
    message_writer(out, {}, id).add(c);
    CHECK(out[27] == bits);
  }
}

// req: 8656-18.1-a
TEST_CASE("reserved bits are sent as zero and ignored when they come") {
  base::bytes out;
  message_writer(out, {}, id).add(channel_number{0x4fff});
  CHECK(base::bytes(out.end() - 4, out.end()) == base::bytes{0x4f, 0xff, 0, 0});
  CHECK(message_view::parse(with_value(attribute_type::channel_number, {0x40, 1, 0xde, 0xad}))->get<channel_number>()->value ==
        0x4001);
  CHECK(message_view::parse(with_value(attribute_type::requested_transport, {17, 1, 2, 3}))
            ->get<requested_transport>()
            ->protocol == 17);
  CHECK(message_view::parse(with_value(attribute_type::even_port, {0x7f}))->get<even_port>()->reserve_next == false);
}

// req: 8489-14.8-b
TEST_CASE("the reserved bits before an error code are ignored") {
  const auto out = with_value(attribute_type::error_code, {0xff, 0xff, 0xfc, 20, 'x'});
  const auto m = *message_view::parse(out);
  CHECK(m.get<error_code>()->code == 420);
  CHECK(m.get<error_code>()->reason == "x");
}

// req: 8489-14.3-a 8489-14.3-b 8489-14.8-c 8489-14.9-a 8489-14.10-a 8489-14.14-a
TEST_CASE("text is sent up to the RFC's limits in characters and taken up to 763 bytes") {
  const std::string n508(508, 'n'), n509(509, 'n');
  CHECK(round_trip(username{n508}));
  CHECK(round_trip(username{n509}).error() == make_error_code(errc::too_long));
  std::string c127, c128;
  for (int i = 0; i < 128; ++i) {
    c128 += "\xe3\x83\x9e";
    if (i < 127) c127 += "\xe3\x83\x9e";
  }
  CHECK(round_trip(realm{c127}));
  CHECK(round_trip(nonce{c127}));
  CHECK(round_trip(software{c127}));
  CHECK(round_trip(error_code{400, c127}));
  CHECK_FALSE(round_trip(realm{c128}));
  CHECK_FALSE(round_trip(nonce{c128}));
  CHECK_FALSE(round_trip(software{c128}));
  CHECK_FALSE(round_trip(error_code{400, c128}));
  const base::bytes b763(763, 'x'), b764(764, 'x');
  CHECK(message_view::parse(with_value(attribute_type::username, b763))->get<username>());
  CHECK(message_view::parse(with_value(attribute_type::realm, b763))->get<realm>());
  CHECK(message_view::parse(with_value(attribute_type::nonce, b763))->get<nonce>());
  CHECK(message_view::parse(with_value(attribute_type::software, b763))->get<software>());
  CHECK_FALSE(message_view::parse(with_value(attribute_type::nonce, b764))->get<nonce>());
  base::bytes reason{0, 0, 4, 0};
  reason.resize(767, 'x');
  CHECK(message_view::parse(with_value(attribute_type::error_code, reason))->get<error_code>());
}

// req: 8489-9-a 8489-9-b
TEST_CASE("attributes after integrity have no effect, except what may follow it") {
  const auto key = short_term_key("p");
  const base::bytes late_flag{0, 0x25, 0, 0}, late_priority{0, 0x24, 0, 4, 1, 2, 3, 4};
  base::bytes out;
  message_writer w(out, {}, id);
  w.add(username{"u"}).integrity(key);
  base::append(out, late_flag);
  out[3] += 4;
  {
    const auto m = *message_view::parse(out);
    CHECK_FALSE(m.has(attribute_type::use_candidate));
    CHECK(check_integrity(m, key));
    int ignored = 0;
    for (const auto& a : m) ignored += a.ignored;
    CHECK(ignored == 1);
  }
  base::bytes sha;
  message_writer s(sha, {}, id);
  s.integrity(key).integrity_sha256(key).fingerprint();
  {
    const auto m = *message_view::parse(sha);
    for (const auto& a : m) CHECK_FALSE(a.ignored);
    CHECK(check_message_integrity(m, key));
    CHECK(check_message_integrity_sha256(m, key));
    CHECK(check_fingerprint(m) == fingerprint_check::valid);
  }
  base::bytes only256;
  message_writer o(only256, {}, id);
  o.integrity_sha256(key);
  base::append(only256, late_priority);
  base::append(only256, base::bytes{0, 8, 0, 3, 1, 2, 3, 0});  // a late, and malformed, MESSAGE-INTEGRITY
  only256[3] += 16;
  {
    const auto m = *message_view::parse(only256);
    CHECK_FALSE(m.has(attribute_type::priority));
    CHECK_FALSE(m.has(attribute_type::message_integrity));
    CHECK_FALSE(m.integrity_offset());
    CHECK(check_integrity(m, key));
  }
}

TEST_CASE("every bit of a signed message is protected by its integrity, and with the rest by FINGERPRINT") {
  const auto key = short_term_key("p");
  base::bytes out;
  message_writer w(out, {}, id);
  w.add(username{"user"}).add(priority{7}).integrity(key).fingerprint();
  for (std::size_t bit = 0; bit < out.size() * 8; ++bit) {
    auto bad = out;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const auto m = message_view::parse(bad);
    CHECK((!m || check_fingerprint(*m) != fingerprint_check::valid));
    const bool after_integrity = bit / 8 >= out.size() - 8;
    if (m && !after_integrity) CHECK((!m->integrity_offset() || !check_integrity(*m, key)));
  }
}

TEST_CASE("a message of the largest size is written, and nothing larger") {
  base::bytes out;
  message_writer w(out, {}, id);
  w.add(attribute_type::data, base::bytes(65528));
  CHECK(w.status());
  CHECK(out.size() == 20 + 65532);
  CHECK(message_view::parse(out));
  w.add(attribute_type::data, base::bytes(1));
  CHECK(w.status().error() == make_error_code(errc::too_long));
  CHECK(out.size() == 20 + 65532);
  CHECK(message_view::parse(out));
}

TEST_CASE("a message is written behind whatever is in the buffer already") {
  base::bytes out = base::to_bytes("before");
  message_writer w(out, {}, id);
  w.add(priority{1}).integrity(short_term_key("p")).fingerprint();
  CHECK(base::as_text(base::byte_view(out).first(6)) == "before");
  const auto m = message_view::parse(w.bytes());
  REQUIRE(m);
  CHECK(check_integrity(*m, short_term_key("p")));
  CHECK(check_fingerprint(*m) == fingerprint_check::valid);
}

// req: 8489-6.2.1-e
TEST_CASE("the learned time-out follows RFC 6298 in milliseconds, is bounded in memory, and is forgotten") {
  rto_cache cache(500ms, 2);
  const auto a = base::ip_address::v4(192, 0, 2, 1), b = base::ip_address::v4(192, 0, 2, 2),
             c = base::ip_address::v4(192, 0, 2, 3);
  const base::instant t(1h);
  CHECK(cache.rto(a, t) == 500ms);
  cache.sample(a, 537ms, t);
  CHECK(cache.rto(a, t) == 537ms * 3);
  for (int i = 0; i < 100; ++i) cache.sample(a, 537ms, t);
  CHECK(cache.rto(a, t) >= 538ms);
  CHECK(cache.rto(a, t) < 540ms);
  cache.sample(b, 10ms, t + 1s);
  cache.sample(c, 10ms, t + 2s);
  CHECK(cache.size() == 2);
  CHECK(cache.rto(a, t + 2s) == 500ms);
  CHECK(cache.rto(b, t + 3s) == 30ms);
  CHECK(cache.rto(b, t + 3s + 10min) == 30ms);
  CHECK(cache.rto(b, t + 3s + 20min + 1ns) == 500ms);
}
