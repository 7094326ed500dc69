// Messages that are wrong, each in its own way: the error, and the byte at which it is seen.
#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "base/hex.hpp"
#include "stun/attributes.hpp"
#include "stun/explain.hpp"
#include "stun/message_writer.hpp"

using namespace strata;
using namespace strata::stun;

namespace {

// A header with this length field, then these bytes.
base::bytes message(unsigned length, std::string_view rest, std::string_view type = "0001",
                    std::string_view cookie = "2112a442") {
  auto data = *base::from_hex(type);
  data.push_back(static_cast<std::uint8_t>(length >> 8));
  data.push_back(static_cast<std::uint8_t>(length));
  base::append(data, *base::from_hex(cookie));
  data.resize(header_size, 0x11);
  base::append(data, *base::from_hex(rest));
  return data;
}

constexpr const char* mac20 = "0102030405060708090a0b0c0d0e0f1011121314";
std::string sha(std::size_t size) {
  base::bytes value(size, 1);
  return "001c00" + base::to_hex(base::bytes{static_cast<std::uint8_t>(size)}) + base::to_hex(value);
}

struct whole {
  const char* what;
  base::bytes data;
  errc error;
  std::size_t offset;
};

const std::vector<whole>& whole_messages() {
  static const auto rows = [] {
    std::vector<whole> r;
    const auto good = message(8, "8022000474657374");
    // Every way of being cut short before the end of the header.
    for (std::size_t size = 0; size < header_size; ++size) {
      r.push_back(
          {"a cut header", base::bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), errc::too_short, size});
    }
    const std::vector<whole> others{
        {"top bits 01", message(0, "", "4001"), errc::not_stun, 0},
        {"top bits 10", message(0, "", "8001"), errc::not_stun, 0},
        {"top bits 11", message(0, "", "c001"), errc::not_stun, 0},
        {"a DTLS record", message(0, "", "16fe", "fd000100"), errc::bad_cookie, 4},
        {"an RTP packet", message(0, "", "8060"), errc::not_stun, 0},
        {"cookie zero", message(0, "", "0001", "00000000"), errc::bad_cookie, 4},
        {"cookie reversed", message(0, "", "0001", "42a41221"), errc::bad_cookie, 4},
        {"cookie last bit", message(0, "", "0001", "2112a443"), errc::bad_cookie, 4},
        {"length 1", message(1, "00"), errc::unaligned_length, 2},
        {"length 2", message(2, "0000"), errc::unaligned_length, 2},
        {"length 3", message(3, "000000"), errc::unaligned_length, 2},
        {"length 0xffff", message(0xffff, ""), errc::unaligned_length, 2},
        {"length beyond the end by a word", message(4, ""), errc::length_mismatch, 2},
        {"length beyond the end by far", message(0xfffc, "80220000"), errc::length_mismatch, 2},
        {"length short by an attribute", message(4, "8022000080220000"), errc::length_mismatch, 2},
        {"length zero with attributes", message(0, "80220000"), errc::length_mismatch, 2},
        {"one byte behind the message", message(4, "8022000000"), errc::length_mismatch, 2},
        {"the aligned length of an unaligned end", message(8, "80220003616263"), errc::length_mismatch, 2},
        {"an attribute one byte too long", message(8, "8022000574657374"), errc::truncated_attribute, 20},
        {"an attribute longer than everything", message(4, "8022ffff"), errc::truncated_attribute, 20},
        {"an attribute of one byte in none", message(4, "80220001"), errc::truncated_attribute, 20},
        {"the second attribute too long", message(12, "80220004746573748022000c"), errc::truncated_attribute, 28},
        {"a value that would need the padding of the one before", message(12, "800000017400000080220004"),
         errc::truncated_attribute, 28},
        {"MESSAGE-INTEGRITY of 0", message(4, "00080000"), errc::bad_attribute_length, 22},
        {"MESSAGE-INTEGRITY of 16", message(20, std::string("00080010") + std::string(mac20).substr(0, 32)),
         errc::bad_attribute_length, 22},
        {"MESSAGE-INTEGRITY of 19", message(24, std::string("00080013") + mac20), errc::bad_attribute_length, 22},
        {"MESSAGE-INTEGRITY of 24", message(28, std::string("00080018") + mac20 + "00000000"), errc::bad_attribute_length, 22},
        {"MESSAGE-INTEGRITY that ends outside", message(20, std::string("00080014") + std::string(mac20).substr(0, 32)),
         errc::truncated_attribute, 20},
        {"FINGERPRINT of 0", message(4, "80280000"), errc::bad_attribute_length, 22},
        {"FINGERPRINT of 3", message(8, "8028000301020304"), errc::bad_attribute_length, 22},
        {"FINGERPRINT of 8", message(12, "802800080102030405060708"), errc::bad_attribute_length, 22},
        {"FINGERPRINT twice", message(16, "80280004010203048028000401020304"), errc::misplaced_fingerprint, 28},
        {"SOFTWARE after FINGERPRINT", message(12, "802800040102030480220000"), errc::misplaced_fingerprint, 28},
        {"MESSAGE-INTEGRITY after FINGERPRINT", message(32, std::string("8028000401020304") + "00080014" + mac20),
         errc::misplaced_fingerprint, 28},
        {"an empty unknown attribute after FINGERPRINT", message(12, "8028000401020304ffff0000"), errc::misplaced_fingerprint,
         28},
    };
    r.insert(r.end(), others.begin(), others.end());
    for (const std::size_t size : {0u, 4u, 8u, 12u, 36u, 40u}) {
      r.push_back({"MESSAGE-INTEGRITY-SHA256 of a length that is none", message(static_cast<unsigned>(4 + size), sha(size)),
                   errc::bad_attribute_length, 22});
    }
    for (const std::size_t size : {17u, 18u, 19u, 30u, 31u}) {
      auto hex = sha(size);
      while (hex.size() % 8 != 0) hex += "00";
      r.push_back({"MESSAGE-INTEGRITY-SHA256 of an unaligned length", message(static_cast<unsigned>(hex.size() / 2), hex),
                   errc::bad_attribute_length, 22});
    }
    return r;
  }();
  return rows;
}

template <class Attribute>
base::result<void> try_decode(const message_view& m) {
  const auto r = m.get<Attribute>();
  if (!r) return base::fail(r.error());
  return {};
}

const std::map<attribute_type, std::function<base::result<void>(const message_view&)>> decoders{
    {attribute_type::mapped_address, try_decode<mapped_address>},
    {attribute_type::xor_mapped_address, try_decode<xor_mapped_address>},
    {attribute_type::xor_peer_address, try_decode<xor_peer_address>},
    {attribute_type::xor_relayed_address, try_decode<xor_relayed_address>},
    {attribute_type::alternate_server, try_decode<alternate_server>},
    {attribute_type::response_origin, try_decode<response_origin>},
    {attribute_type::other_address, try_decode<other_address>},
    {attribute_type::username, try_decode<username>},
    {attribute_type::error_code, try_decode<error_code>},
    {attribute_type::unknown_attributes, try_decode<unknown_attributes>},
    {attribute_type::userhash, try_decode<userhash>},
    {attribute_type::password_algorithm, try_decode<password_algorithm>},
    {attribute_type::password_algorithms, try_decode<password_algorithms>},
    {attribute_type::priority, try_decode<priority>},
    {attribute_type::use_candidate, try_decode<use_candidate>},
    {attribute_type::ice_controlled, try_decode<ice_controlled>},
    {attribute_type::ice_controlling, try_decode<ice_controlling>},
    {attribute_type::change_request, try_decode<change_request>},
    {attribute_type::response_port, try_decode<response_port>},
    {attribute_type::channel_number, try_decode<channel_number>},
    {attribute_type::lifetime, try_decode<lifetime>},
    {attribute_type::dont_fragment, try_decode<dont_fragment>},
    {attribute_type::even_port, try_decode<even_port>},
    {attribute_type::requested_transport, try_decode<requested_transport>},
    {attribute_type::requested_address_family, try_decode<requested_address_family>},
    {attribute_type::additional_address_family, try_decode<additional_address_family>},
    {attribute_type::reservation_token, try_decode<reservation_token>},
    {attribute_type::icmp, try_decode<icmp>},
    {attribute_type::address_error_code, try_decode<address_error_code>},
    {attribute_type::connection_id, try_decode<connection_id>},
};

struct value {
  attribute_type type;
  const char* hex;
  errc error;
  std::size_t offset;  // 20: the attribute's header, 22: its length, 24: its value
};

using t = attribute_type;
const std::vector<value> values{
    {t::mapped_address, "", errc::bad_attribute_length, 22},
    {t::mapped_address, "000100", errc::bad_attribute_length, 22},
    {t::mapped_address, "00010001", errc::bad_attribute_length, 22},
    {t::mapped_address, "00010001c00002", errc::bad_attribute_length, 22},
    {t::mapped_address, "00010001c000020101", errc::bad_attribute_length, 22},
    {t::mapped_address, "00010001000102030405060708090a0b0c0d0e0f", errc::bad_attribute_length, 22},
    {t::mapped_address, "00020001c0000201", errc::bad_attribute_length, 22},
    {t::mapped_address, "00020001000102030405060708090a0b0c0d0e", errc::bad_attribute_length, 22},
    {t::mapped_address, "00000001c0000201", errc::bad_address_family, 25},
    {t::mapped_address, "00030001c0000201", errc::bad_address_family, 25},
    {t::mapped_address, "00ff0001c0000201", errc::bad_address_family, 25},
    {t::xor_mapped_address, "", errc::bad_attribute_length, 22},
    {t::xor_mapped_address, "0001a147e112a6", errc::bad_attribute_length, 22},
    {t::xor_mapped_address, "0003a147e112a643", errc::bad_address_family, 25},
    {t::xor_mapped_address, "0002a147e112a643", errc::bad_attribute_length, 22},
    {t::xor_peer_address, "0001a147", errc::bad_attribute_length, 22},
    {t::xor_peer_address, "0004a147e112a643", errc::bad_address_family, 25},
    {t::xor_relayed_address, "0001", errc::bad_attribute_length, 22},
    {t::xor_relayed_address, "0000a147e112a643", errc::bad_address_family, 25},
    {t::alternate_server, "0001a1", errc::bad_attribute_length, 22},
    {t::response_origin, "00", errc::bad_attribute_length, 22},
    {t::other_address, "0009000100000000", errc::bad_address_family, 25},
    {t::error_code, "", errc::bad_attribute_length, 22},
    {t::error_code, "000004", errc::bad_attribute_length, 22},
    {t::error_code, "00000014", errc::bad_value, 26},
    {t::error_code, "00000114", errc::bad_value, 26},
    {t::error_code, "00000214", errc::bad_value, 26},
    {t::error_code, "00000714", errc::bad_value, 26},
    {t::error_code, "00000464", errc::bad_value, 27},
    {t::error_code, "000004ff", errc::bad_value, 27},
    {t::address_error_code, "010004", errc::bad_attribute_length, 22},
    {t::address_error_code, "00000428", errc::bad_address_family, 24},
    {t::address_error_code, "03000428", errc::bad_address_family, 24},
    {t::address_error_code, "01000228", errc::bad_value, 26},
    {t::address_error_code, "01000464", errc::bad_value, 27},
    {t::unknown_attributes, "00", errc::bad_attribute_length, 22},
    {t::unknown_attributes, "7fff7f", errc::bad_attribute_length, 22},
    {t::userhash, "", errc::bad_attribute_length, 22},
    {t::userhash, "01020304", errc::bad_attribute_length, 22},
    {t::password_algorithm, "", errc::bad_attribute_length, 22},
    {t::password_algorithm, "0001", errc::bad_attribute_length, 22},
    {t::password_algorithm, "00010004", errc::bad_value, 26},
    {t::password_algorithm, "0001000001", errc::bad_value, 26},
    {t::password_algorithms, "0001", errc::bad_value, 24},
    {t::password_algorithms, "00020000000100", errc::bad_value, 28},
    {t::password_algorithms, "0002000000010004", errc::bad_value, 28},
    {t::password_algorithms, "0002ffff", errc::bad_value, 24},
    {t::priority, "", errc::bad_attribute_length, 22},
    {t::priority, "010203", errc::bad_attribute_length, 22},
    {t::priority, "0102030405", errc::bad_attribute_length, 22},
    {t::use_candidate, "00", errc::bad_attribute_length, 22},
    {t::ice_controlled, "01020304", errc::bad_attribute_length, 22},
    {t::ice_controlled, "010203040506070809", errc::bad_attribute_length, 22},
    {t::ice_controlling, "", errc::bad_attribute_length, 22},
    {t::change_request, "0000", errc::bad_attribute_length, 22},
    {t::response_port, "1234", errc::bad_attribute_length, 22},
    {t::channel_number, "4000", errc::bad_attribute_length, 22},
    {t::lifetime, "0000000000000258", errc::bad_attribute_length, 22},
    {t::dont_fragment, "01", errc::bad_attribute_length, 22},
    {t::even_port, "", errc::bad_attribute_length, 22},
    {t::even_port, "80000000", errc::bad_attribute_length, 22},
    {t::requested_transport, "11", errc::bad_attribute_length, 22},
    {t::requested_address_family, "01", errc::bad_attribute_length, 22},
    {t::requested_address_family, "03000000", errc::bad_address_family, 24},
    {t::additional_address_family, "00000000", errc::bad_address_family, 24},
    {t::reservation_token, "01020304050607", errc::bad_attribute_length, 22},
    {t::icmp, "00000304", errc::bad_attribute_length, 22},
    {t::connection_id, "00", errc::bad_attribute_length, 22},
};

}  // namespace

// req: 8489-5-a 8489-5-b 8489-5-f 8489-14.6-a 8489-14.7-a
TEST_CASE("a message that breaks a rule of form is refused at the byte that breaks it") {
  for (const auto& row : whole_messages()) {
    CAPTURE(row.what);
    CAPTURE(base::to_hex(row.data));
    const auto m = message_view::parse(row.data);
    REQUIRE_FALSE(m);
    CHECK(m.error().code == make_error_code(row.error));
    CHECK(m.error().offset == row.offset);
    CHECK_FALSE(m.error().expected.empty());
    CHECK(to_text(explain(row.data), row.data).find("invalid: ") != std::string::npos);
  }
}

// req: 8489-14.1-a 8489-14.8-a
TEST_CASE("an attribute whose value cannot be is refused when it is read, and only it") {
  for (const auto& row : values) {
    CAPTURE(static_cast<unsigned>(row.type));
    CAPTURE(row.hex);
    const auto value = *base::from_hex(row.hex);
    base::bytes out;
    message_writer(out, {}, {}).add(row.type, value).add(priority{7});
    const auto m = message_view::parse(out);
    REQUIRE(m);
    const auto r = decoders.at(row.type)(*m);
    REQUIRE_FALSE(r);
    CHECK(r.error().code == make_error_code(row.error));
    CHECK(r.error().offset == row.offset);
    if (row.type != t::priority) CHECK(m->get<priority>()->value == 7);
    CHECK(to_text(explain(out), out).find("invalid: ") != std::string::npos);
  }
}

TEST_CASE("the tables hold more than a hundred messages") { CHECK(whole_messages().size() + values.size() >= 130); }
