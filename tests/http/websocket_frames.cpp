// Frame sequences by the table: what a server makes of what a client sends.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/websocket_reader.hpp"

using namespace strata;
using http::opcode;
using http::websocket_event;
using kind = http::websocket_event::kind;
using namespace std::string_literals;

namespace {

constexpr http::masking_key key = {0x37, 0xfa, 0x21, 0x3d};

// A masked frame; flags is the first octet.
std::string frame(int flags, const std::string& payload, bool masked = true) {
  base::bytes out;
  http::write_frame_header(out, {true, opcode::text, payload.size(), masked ? std::optional(key) : std::nullopt});
  out[0] = static_cast<std::uint8_t>(flags);
  const auto at = out.size();
  base::append(out, base::as_bytes(payload));
  if (masked) http::apply_mask(base::byte_span(out).subspan(at), key);
  return std::string(base::as_text(out));
}
std::string text(const std::string& s) { return frame(0x81, s); }
std::string close_frame(int code, const std::string& reason = {}) {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason);
}

websocket_event T(std::string s) { return {kind::text, std::move(s), 0}; }
websocket_event B(std::string s) { return {kind::binary, std::move(s), 0}; }
websocket_event ping(std::string s) { return {kind::ping, std::move(s), 0}; }
websocket_event pong(std::string s) { return {kind::pong, std::move(s), 0}; }
websocket_event closed(std::uint16_t code, std::string reason = {}) { return {kind::close, std::move(reason), code}; }
websocket_event broken(std::uint16_t code) { return {kind::violation, "", code}; }

struct sequence {
  const char* what;
  std::string octets;
  std::vector<websocket_event> events;
};

const std::string e_acute = "\xc3\xa9", euro = "\xe2\x82\xac", clef = "\xf0\x9d\x84\x9e";

const std::vector<sequence> sequences = {
    // whole messages of each length form
    // req: 6455-5.4-d 6455-5.3-a
    {"empty text", text(""), {T("")}},
    {"the greeting of the RFC", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", {T("Hello")}},
    {"125 octets", text(std::string(125, 'a')), {T(std::string(125, 'a'))}},
    {"126 octets", text(std::string(126, 'a')), {T(std::string(126, 'a'))}},
    {"65535 octets", text(std::string(65535, 'a')), {T(std::string(65535, 'a'))}},
    {"65536 octets", text(std::string(65536, 'a')), {T(std::string(65536, 'a'))}},
    {"binary with every octet", frame(0x82, "\x00\xff\x80\xc0"s), {B("\x00\xff\x80\xc0"s)}},
    {"three messages", text("a") + frame(0x82, "b") + text("c"), {T("a"), B("b"), T("c")}},
    // fragments
    {"two fragments", frame(0x01, "Hel") + frame(0x80, "lo"), {T("Hello")}},
    {"empty fragments around", frame(0x01, "") + frame(0x00, "") + frame(0x00, "x") + frame(0x80, ""), {T("x")}},
    {"nothing in three fragments", frame(0x02, "") + frame(0x00, "") + frame(0x80, ""), {B("")}},
    {"binary fragments", frame(0x02, "\x01"s) + frame(0x80, "\xff"s), {B("\x01\xff"s)}},
    {"a ping between fragments",
     frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b"),
     {ping("p"), T("ab")}},  // req: 6455-5.4-b
    {"many pings between fragments",
     frame(0x01, "a") + frame(0x89, "1") + frame(0x00, "b") + frame(0x89, "2") + frame(0x80, "c"),
     {ping("1"), ping("2"), T("abc")}},
    {"a close between fragments", frame(0x01, "a") + close_frame(1000), {closed(1000)}},
    {"continuation first", frame(0x80, "x"), {broken(1002)}},  // req: 6455-5.4-e
    {"continuation without fin first", frame(0x00, "x"), {broken(1002)}},
    {"continuation after a whole message", text("a") + frame(0x80, "x"), {T("a"), broken(1002)}},
    {"a new text inside a message", frame(0x01, "a") + text("b"), {broken(1002)}},  // req: 6455-5.4-c
    {"a new binary inside a text", frame(0x01, "a") + frame(0x82, "b"), {broken(1002)}},
    {"a fragmented text inside a binary", frame(0x02, "a") + frame(0x01, "b"), {broken(1002)}},
    // control frames
    {"empty ping", frame(0x89, ""), {ping("")}},
    {"ping of 125 octets", frame(0x89, std::string(125, 'p')), {ping(std::string(125, 'p'))}},
    {"ping of 126 octets", frame(0x89, std::string(126, 'p')), {broken(1002)}},  // req: 6455-5.5-a
    {"ping with octets that are no text", frame(0x89, "\xff\x00"s), {ping("\xff\x00"s)}},
    {"unasked pong", frame(0x8a, "x") + text("a"), {pong("x"), T("a")}},
    {"pong of 126 octets", frame(0x8a, std::string(126, 'p')), {broken(1002)}},
    {"fragmented ping", frame(0x09, "x") + frame(0x80, "y"), {broken(1002)}},  // req: 6455-5.4-a
    {"fragmented pong", frame(0x0a, "x"), {broken(1002)}},
    {"fragmented close", frame(0x08, "\x03\xe8"s), {broken(1002)}},
    {"close of 126 octets", frame(0x88, "\x03\xe8"s + std::string(124, 'r')), {broken(1002)}},
    // reserved bits
    // req: 6455-5.2-a
    {"RSV1", frame(0xc1, "x"), {broken(1002)}},
    {"RSV2", frame(0xa1, "x"), {broken(1002)}},
    {"RSV3", frame(0x91, "x"), {broken(1002)}},
    {"all reserved bits on a ping", frame(0xf9, "x"), {broken(1002)}},
    {"RSV1 on a continuation", frame(0x01, "a") + frame(0xc0, "b"), {broken(1002)}},
    {"RSV1 on a close", frame(0xc8, "\x03\xe8"s), {broken(1002)}},
    // opcodes
    // req: 6455-5.2-b
    {"opcode 3", frame(0x83, "x"), {broken(1002)}},
    {"opcode 4", frame(0x84, ""), {broken(1002)}},
    {"opcode 5", frame(0x85, "x"), {broken(1002)}},
    {"opcode 6", frame(0x86, "x"), {broken(1002)}},
    {"opcode 7", frame(0x87, "x"), {broken(1002)}},
    {"opcode 11", frame(0x8b, "x"), {broken(1002)}},
    {"opcode 12", frame(0x8c, "x"), {broken(1002)}},
    {"opcode 13", frame(0x8d, "x"), {broken(1002)}},
    {"opcode 14", frame(0x8e, "x"), {broken(1002)}},
    {"opcode 15", frame(0x8f, "x"), {broken(1002)}},
    {"unknown opcode after a good message", text("a") + frame(0x83, "x") + text("b"), {T("a"), broken(1002)}},
    // masks
    // req: 6455-5.1-a
    {"an unmasked text", frame(0x81, "x", false), {broken(1002)}},
    {"an unmasked ping", frame(0x89, "x", false), {broken(1002)}},
    {"an unmasked close", frame(0x88, "", false), {broken(1002)}},
    // lengths
    // req: 6455-5.2-c 6455-5.2-d
    {"10 octets with a 16-bit length", "\x82\xfe\x00\x0a"s + "abcd" + std::string(10, 'x'), {broken(1002)}},
    {"125 octets with a 16-bit length", "\x82\xfe\x00\x7d"s, {broken(1002)}},
    {"10 octets with a 64-bit length", "\x82\xff\x00\x00\x00\x00\x00\x00\x00\x0a"s, {broken(1002)}},
    {"65535 octets with a 64-bit length", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s, {broken(1002)}},
    {"a length with the top bit", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s, {broken(1002)}},
    {"a length of 2^63-1",
     "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
     "abcd"s,
     {broken(1009)}},  // req: 6455-10.4-a
    {"one octet more than is allowed",
     "\x82\xff\x00\x00\x00\x00\x00\x02\x00\x01"
     "abcd"s,
     {broken(1009)}},
    {"a message too large in fragments",
     frame(0x02, std::string(100000, 'a')) + frame(0x80, std::string(40000, 'a')),
     {broken(1009)}},
    // UTF-8
    // req: 6455-5.6-a 6455-8.1-a
    {"two, three and four octets", text(e_acute + euro + clef), {T(e_acute + euro + clef)}},
    {"a character across fragments", frame(0x01, "\xe2") + frame(0x00, "\x82") + frame(0x80, "\xac"), {T(euro)}},
    {"a ping inside a character", frame(0x01, "\xf0\x9d") + frame(0x89, "") + frame(0x80, "\x84\x9e"), {ping(""), T(clef)}},
    {"the last character", text("\xf4\x8f\xbf\xbf"), {T("\xf4\x8f\xbf\xbf")}},
    {"above the last character", text("\xf4\x90\x80\x80"), {broken(1007)}},
    {"a surrogate", text("\xed\xa0\x80"), {broken(1007)}},
    {"an overlong slash", text("\xc0\xaf"), {broken(1007)}},
    {"an overlong NUL in three octets", text("\xe0\x80\x80"), {broken(1007)}},
    {"overlong in four octets", text("\xf0\x80\x80\x80"), {broken(1007)}},
    {"a lone continuation", text("\x80"), {broken(1007)}},
    {"FE", text("\xfe"), {broken(1007)}},
    {"cut off at the end", text("a\xe2\x82"), {broken(1007)}},
    {"cut off at the end of the last fragment", frame(0x01, "a") + frame(0x80, "\xe2\x82"), {broken(1007)}},
    {"broken across fragments", frame(0x01, "\xe2") + frame(0x80, "x"), {broken(1007)}},
    {"the same in binary is nobody's business", frame(0x82, "\xed\xa0\x80"), {B("\xed\xa0\x80")}},
    {"NUL is a character", text("a\0b"s), {T("a\0b"s)}},
    // closing
    // req: 6455-5.5.1-a 6455-7.4.2-a 6455-7.4.1-a
    {"a close without body", frame(0x88, ""), {closed(1005)}},
    {"a close of one octet", frame(0x88, "x"), {broken(1002)}},
    {"a close with a reason", close_frame(1001, "going " + e_acute), {closed(1001, "going " + e_acute)}},
    {"a close with a reason of 123 octets", close_frame(1000, std::string(123, 'r')), {closed(1000, std::string(123, 'r'))}},
    {"a reason that is no text", close_frame(1000, "\xff"), {broken(1007)}},
    {"a reason cut off", close_frame(1000, "\xe2\x82"), {broken(1007)}},
    {"code 0", close_frame(0), {broken(1002)}},
    {"code 999", close_frame(999), {broken(1002)}},
    {"code 1003", close_frame(1003), {closed(1003)}},
    {"code 1004", close_frame(1004), {broken(1002)}},
    {"code 1005", close_frame(1005), {broken(1002)}},
    {"code 1006", close_frame(1006), {broken(1002)}},
    {"code 1007", close_frame(1007), {closed(1007)}},
    {"code 1011", close_frame(1011), {closed(1011)}},
    {"code 1014", close_frame(1014), {closed(1014)}},
    {"code 1015", close_frame(1015), {broken(1002)}},
    {"code 1016", close_frame(1016), {broken(1002)}},
    {"code 2999", close_frame(2999), {broken(1002)}},
    {"code 3000", close_frame(3000), {closed(3000)}},
    {"code 4999", close_frame(4999), {closed(4999)}},
    {"code 5000", close_frame(5000), {broken(1002)}},
    {"code 65535", close_frame(65535), {broken(1002)}},
    {"anything after a close", close_frame(1000) + text("late") + frame(0x83, ""), {closed(1000)}},
    {"anything after a broken frame", frame(0x83, "") + text("late"), {broken(1002)}},  // req: 6455-7.1.7-b
};

std::vector<websocket_event> read(const std::string& octets, std::size_t piece) {
  http::websocket_reader r(http::websocket_role::server, 128 * 1024);
  std::vector<websocket_event> events;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    r.feed(base::as_bytes(octets).subspan(at, std::min(piece, octets.size() - at)));
    while (auto e = r.next()) {
      if (e->what == kind::violation) e->data.clear();  // the words are for people
      events.push_back(std::move(*e));
    }
  }
  return events;
}

}  // namespace

// req: 6455-10.7-a
TEST_CASE("frame sequences mean what the RFC says, in whatever pieces they arrive") {
  CHECK(sequences.size() >= 60);
  for (const auto& s : sequences) {
    CAPTURE(s.what);
    for (std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, s.octets.size()}) {
      if (s.octets.size() > 1000 && piece < 1000) continue;
      CAPTURE(piece);
      CHECK(read(s.octets, piece) == s.events);
    }
  }
}

TEST_CASE("invalid text is refused before its message is whole") {
  CHECK(read(frame(0x01, "good\xff"), 1) == std::vector{broken(1007)});
  const auto half = frame(0x81, std::string("\xff") + std::string(100, 'x'));
  CHECK(read(half.substr(0, 20), 1) == std::vector{broken(1007)});
}

TEST_CASE("a client takes unmasked frames and refuses masked ones") {
  http::websocket_reader r(http::websocket_role::client, 1000);
  r.feed(base::as_bytes("\x81\x05Hello\x01\x03Hel\x80\x02lo"s));
  CHECK(r.next() == T("Hello"));
  CHECK(r.next() == T("Hello"));
  r.feed(base::as_bytes(text("x")));
  const auto e = r.next();
  REQUIRE(e);
  CHECK(e->code == 1002);
  CHECK(r.ended());
}

TEST_CASE("frame headers are written in their shortest form and read back") {
  for (const std::uint64_t length : {0ull, 1ull, 125ull, 126ull, 65535ull, 65536ull, 0x7fffffffffffffffull})
    for (const bool masked : {false, true}) {
      const http::frame_header h{true, opcode::binary, length, masked ? std::optional(key) : std::nullopt};
      base::bytes out;
      http::write_frame_header(out, h);
      CHECK(out.size() == (length < 126 ? 2u : length < 65536 ? 4u : 10u) + (masked ? 4u : 0u));
      const auto p = http::parse_frame_header(out);
      REQUIRE(p);
      REQUIRE(*p);
      CHECK((*p)->header == h);
      CHECK((*p)->size == out.size());
      for (std::size_t n = 0; n < out.size(); ++n) {
        const auto cut = http::parse_frame_header(base::byte_view(out).first(n));
        REQUIRE(cut);
        CHECK_FALSE(*cut);
      }
    }
}

TEST_CASE("a close body is cut at a character and carries what may be carried") {
  const auto body = http::make_close_body(1000, std::string(122, 'x') + e_acute);
  CHECK(body.size() == 124);
  const auto parsed = http::parse_close(body);
  REQUIRE(parsed);
  CHECK(parsed->reason == std::string(122, 'x'));
}
