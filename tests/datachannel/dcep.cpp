#include "datachannel/dcep.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"
#include "datachannel/ppid.hpp"
#include "datachannel/stream_ids.hpp"

using namespace strata;
using namespace strata::datachannel;

// req: 8832-5.1-a
// req: 8832-5.2-a
TEST_CASE("OPEN and ACK have the octets of RFC 8832") {
  open_message m;
  m.type = channel_type::partial_rexmit_unordered;
  m.priority = 256;
  m.reliability_parameter = 3;
  m.label = "chat";
  m.protocol = "p1";
  CHECK(base::to_hex(format(m)) ==
        "0381010000000003"
        "00040002"
        "63686174"
        "7031");
  CHECK(base::to_hex(format(ack_message{})) == "02");
}

// req: 8832-5.1-b
// req: 8832-5.1-g
TEST_CASE("all six channel types make the round trip, with empty and with long texts") {
  for (const auto type :
       {channel_type::reliable, channel_type::partial_rexmit, channel_type::partial_timed, channel_type::reliable_unordered,
        channel_type::partial_rexmit_unordered, channel_type::partial_timed_unordered})
    for (const auto& text : {std::string(), std::string("\xc3\xa4\xf0\x9f\x98\x80"), std::string(65535, 'x')}) {
      open_message m;
      m.type = type;
      m.priority = 1024;
      m.reliability_parameter = 70000;
      m.label = text;
      m.protocol = text.substr(0, 10 < text.size() ? 0 : text.size());
      const auto back = parse_dcep(format(m));
      REQUIRE(back.has_value());
      CHECK(std::get<open_message>(*back) == m);
    }
  CHECK(std::holds_alternative<ack_message>(*parse_dcep(format(ack_message{}))));
}

// req: 8832-5.1-d
// req: 8832-5.1-e
TEST_CASE("the reliability parameter of a reliable channel is zero when sent and ignored when received") {
  CHECK(open_of({.label = "x"}).reliability_parameter == 0);
  open_message m;
  m.type = channel_type::reliable;
  m.reliability_parameter = 99;
  const auto o = options_of(std::get<open_message>(*parse_dcep(format(m))));
  CHECK_FALSE(o.max_retransmits);
  CHECK_FALSE(o.max_lifetime);
  CHECK(o.ordered);
}

TEST_CASE("An ACK padded with zeros is an ACK, as pion sends it") {
  const auto padded = parse_dcep(base::bytes{2, 0, 0, 0});
  REQUIRE(padded.has_value());
  CHECK(std::holds_alternative<ack_message>(*padded));
}

// req: 8831-6.4-c
TEST_CASE("options become an OPEN and come back") {
  for (const channel_options& o :
       {channel_options{.label = "a"}, channel_options{.label = "b", .ordered = false},
        channel_options{.label = "c", .max_retransmits = 0},
        channel_options{.label = "d", .ordered = false, .max_retransmits = 65535},
        channel_options{.label = "e", .max_lifetime = 1},
        channel_options{.label = "f", .protocol = "x", .ordered = false, .max_lifetime = 500, .priority = priority::high}}) {
    const auto back = options_of(open_of(o));
    CHECK(back.label == o.label);
    CHECK(back.protocol == o.protocol);
    CHECK(back.ordered == o.ordered);
    CHECK(back.max_retransmits == o.max_retransmits);
    CHECK(back.max_lifetime == o.max_lifetime);
    CHECK(back.priority == o.priority);
  }
}

TEST_CASE("limits that the interface cannot hold become its largest") {
  open_message m;
  m.type = channel_type::partial_timed;
  m.reliability_parameter = 0xffffffff;
  CHECK(options_of(m).max_lifetime == 65535);
}

// req: 8832-5.1-c
// req: 8832-5.1-f
// req: 8832-8.2.1-a
TEST_CASE("malformed messages are refused with the place and what would have been right") {
  struct row {
    const char* hex;
    errc code;
    std::size_t at;
  };
  const row table[] = {
      {"", errc::truncated, 0},
      // message types
      {"00", errc::unknown_message_type, 0},
      {"01", errc::unknown_message_type, 0},
      {"04", errc::unknown_message_type, 0},
      {"55", errc::unknown_message_type, 0},
      {"ff", errc::unknown_message_type, 0},
      {"00000000000000000000000000", errc::unknown_message_type, 0},
      // ACK
      {"0202", errc::trailing_octets, 1},
      {"020000000000000000000001", errc::trailing_octets, 1},
      // OPEN cut short in its fixed part
      {"03", errc::truncated, 1},
      {"0300", errc::truncated, 2},
      {"030001", errc::truncated, 3},
      {"03000100", errc::truncated, 4},
      {"0300010000", errc::truncated, 5},
      {"030001000000", errc::truncated, 6},
      {"03000100000000", errc::truncated, 7},
      {"0300010000000000", errc::truncated, 8},
      {"030001000000000000", errc::truncated, 9},
      {"03000100000000000001", errc::truncated, 10},
      {"0300010000000000000100", errc::truncated, 11},
      // channel types
      {"030301000000000000000000", errc::unknown_channel_type, 1},
      {"030401000000000000000000", errc::unknown_channel_type, 1},
      {"037f01000000000000000000", errc::unknown_channel_type, 1},
      {"038301000000000000000000", errc::unknown_channel_type, 1},
      {"03fe01000000000000000000", errc::unknown_channel_type, 1},
      {"03ff01000000000000000000", errc::unknown_channel_type, 1},
      {"034001000000000000000000", errc::unknown_channel_type, 1},
      // lengths that do not add up
      {"030001000000000000010000", errc::truncated, 12},
      {"03000100000000000001000161", errc::truncated, 13},
      {"030001000000000000000001", errc::truncated, 12},
      {"0300010000000000ffff0000", errc::truncated, 12},
      {"03000100000000000000ffff", errc::truncated, 12},
      {"0300010000000000ffffffff6161", errc::truncated, 12},
      {"03000100000000000002000061", errc::truncated, 12},
      {"03000100000000000000000061", errc::trailing_octets, 12},
      {"0300010000000000000100006161", errc::trailing_octets, 13},
      {"03000100000000000001000161616100", errc::trailing_octets, 14},
      // texts that are no UTF-8
      {"03000100000000000001000080", errc::not_utf8, 12},
      {"030001000000000000010000ff", errc::not_utf8, 12},
      {"030001000000000000010000c3", errc::not_utf8, 12},
      {"030001000000000000020000c0af", errc::not_utf8, 12},
      {"030001000000000000030000eda080", errc::not_utf8, 12},
      {"030001000000000000030000e0809f", errc::not_utf8, 12},
      {"030001000000000000040000f4908080", errc::not_utf8, 12},
      {"030001000000000000010001"
       "61"
       "c1",
       errc::not_utf8, 13},
      {"030001000000000000000002"
       "e282",
       errc::not_utf8, 12},
  };
  for (const auto& r : table) {
    CAPTURE(r.hex);
    const auto parsed = parse_dcep(*base::from_hex(r.hex));
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == r.code);
    CHECK(parsed.error().offset == r.at);
    CHECK_FALSE(parsed.error().expected.empty());
    CHECK_FALSE(parsed.error().message().empty());
  }
  CHECK(std::size(table) >= 40);
}

TEST_CASE("payload identifiers follow text and emptiness") {
  CHECK(payload_of(true, false) == payload::text);
  CHECK(payload_of(false, false) == payload::binary);
  CHECK(payload_of(true, true) == payload::empty_text);
  CHECK(payload_of(false, true) == payload::empty_binary);
}

// req: 8832-4-a
// req: 8832-4-b
TEST_CASE("the DTLS client takes the lowest free even stream, the server the lowest free odd one") {
  const auto none = [](std::uint16_t) { return false; };
  CHECK(free_stream_id(true, 1024, none) == 0);
  CHECK(free_stream_id(false, 1024, none) == 1);
  CHECK(free_stream_id(true, 1024, [](std::uint16_t id) { return id < 7; }) == 8);
  CHECK(free_stream_id(false, 1024, [](std::uint16_t id) { return id != 5; }) == 5);
  CHECK_FALSE(free_stream_id(false, 1, none));
  CHECK_FALSE(free_stream_id(true, 4, [](std::uint16_t id) { return id < 3; }));
  CHECK(free_stream_id(true, 65535, [](std::uint16_t id) { return id != 65534; }) == 65534);
  CHECK_FALSE(free_stream_id(false, 65536, [](std::uint16_t) { return true; }));
  CHECK(is_ours(0, true));
  CHECK_FALSE(is_ours(0, false));
  CHECK(is_ours(3, false));
}
