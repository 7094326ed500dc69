// Descriptions that are none, by the table: what is wrong with each, and at which line.
#include <doctest/doctest.h>

#include <vector>

#include "fixtures.hpp"
#include "sdp/data_description.hpp"

using namespace strata;
using sdp::errc;
using namespace std::string_literals;

namespace {

const std::string good = fixtures::chromium;
const std::string session = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n";
const std::string media = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

std::string with(std::string_view from, std::string_view to) { return fixtures::replaced(good, from, to); }
std::string lacking(std::string_view line) { return fixtures::without_line(good, line); }
std::string adding(std::string_view line) { return fixtures::with_line(good, line); }

struct malformed {
  const char* what;
  std::string text;
  errc expected;
  std::size_t line;  // 0: nowhere in particular
};

// Lines of the good one: 1 v, 2 o, 3 s, 4 t, 5-7 a, 8 m, 9 c, 10 ufrag, 11 pwd, 12 options, 13 fingerprint, 14 setup, 15 mid,
// 16 sctp-port, 17 max-message-size.
const std::vector<malformed> table = {
    // lines
    // req: 8829-5.8-a 8829-5.6-b
    {"nothing", "", errc::missing_line, 1},
    {"an empty line", "\r\n", errc::missing_line, 2},
    {"one letter", "v", errc::bad_line, 1},
    {"no equals sign", "v0\r\n", errc::bad_line, 1},
    {"a space before the equals sign", "v =0\r\n", errc::bad_line, 1},  // req: 8866-5-f
    {"a capital letter", with("t=0 0", "T=0 0"), errc::unknown_line, 4},
    {"an unknown letter", with("t=0 0\r\n", "t=0 0\r\nq=1\r\n"), errc::unknown_line, 5},  // req: 8866-5-b
    {"an unknown letter in a section", adding("x=1"), errc::unknown_line, 18},
    {"an empty line inside", with("s=-\r\n", "s=-\r\n\r\n"), errc::bad_line, 4},
    {"a line of white space", with("s=-\r\n", "s=-\r\n  \r\n"), errc::bad_line, 4},
    {"a lone CR", with("a=mid:0", "a=mid:0\ra=x"), errc::bad_line, 15},
    {"NUL in a value", with("WMS", "W\0S"s), errc::bad_line, 7},  // req: 8866-5.13-b
    {"JSON", "{\"sdp\":\"v=0\"}", errc::bad_line, 1},
    {"octets that are not UTF-8", with("WMS", "\xff"), errc::not_utf8, 7},  // req: 8866-5-g 8866-5.4-a
    {"a character cut off", good + "a=x:\xe2\x82", errc::not_utf8, 18},
    {"too large", good + "a=x:" + std::string(300000, 'x') + "\r\n", errc::too_large, 18},  // req: 8866-9-a
    // order
    // req: 8829-5.8.1-a 8866-5-a
    {"v missing", good.substr(5), errc::missing_line, 1},
    {"v second", "s=-\r\nv=0\r\n", errc::missing_line, 1},
    {"o missing", lacking("o="), errc::missing_line, 2},
    {"s missing", lacking("s="), errc::missing_line, 3},  // req: 8866-5.3-a
    {"t missing", lacking("t="), errc::missing_line, 4},  // req: 8866-5.9-a
    {"t missing, and a section next", session + media, errc::missing_line, 4},
    {"only v", "v=0\r\n", errc::missing_line, 2},
    {"only v and o", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n", errc::missing_line, 3},
    {"only v, o and s", session, errc::missing_line, 4},
    {"two v", "v=0\r\n" + good, errc::bad_order, 2},
    {"two o", with("s=-\r\n", "o=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"), errc::bad_order, 3},
    {"two s", with("s=-\r\n", "s=-\r\ns=-\r\n"), errc::bad_order, 4},
    {"s before o", "v=0\r\ns=-\r\no=- 1 1 IN IP4 0.0.0.0\r\nt=0 0\r\n", errc::missing_line, 2},
    {"t after a", with("t=0 0\r\na=group:BUNDLE 0\r\n", "a=group:BUNDLE 0\r\nt=0 0\r\n"), errc::missing_line, 4},
    {"c after t", with("t=0 0\r\n", "t=0 0\r\nc=IN IP4 0.0.0.0\r\n"), errc::bad_order, 5},
    {"two c before the sections", with("t=0 0\r\n", "c=IN IP4 0.0.0.0\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"), errc::bad_order,
     5},  // req: 8866-5.7-c
    {"two i", with("t=0 0\r\n", "i=a\r\ni=b\r\nt=0 0\r\n"), errc::bad_order, 5},
    {"e after p", with("t=0 0\r\n", "p=+1\r\ne=a@b\r\nt=0 0\r\n"), errc::bad_order, 5},
    {"e in a section", adding("e=a@b"), errc::bad_order, 18},  // req: 8866-5.6-a
    {"p in a section", adding("p=+1"), errc::bad_order, 18},
    {"t in a section", adding("t=0 0"), errc::bad_order, 18},
    {"v in a section", adding("v=0"), errc::bad_order, 18},
    {"o in a section", adding("o=- 1 1 IN IP4 0.0.0.0"), errc::bad_order, 18},
    {"c after attributes", adding("c=IN IP4 0.0.0.0"), errc::bad_order, 18},
    {"b after attributes", adding("b=AS:1"), errc::bad_order, 18},
    {"r without t", with("t=0 0\r\n", "r=7d 1h 0\r\nt=0 0\r\n"), errc::bad_order, 4},
    {"r in a section", adding("r=7d 1h 0"), errc::bad_order, 18},
    {"z after attributes", with("a=extmap-allow-mixed\r\n", "z=0 0\r\n"), errc::bad_order, 6},
    // the single lines
    {"version 1", with("v=0", "v=1"), errc::bad_version, 1},  // req: 8866-5.1-a
    {"version 00", with("v=0", "v=00"), errc::bad_version, 1},
    {"an origin of five words", with("o=- ", "o="), errc::bad_origin, 2},  // req: 8866-5.2-a
    {"an origin of seven words", with("o=- ", "o=a b "), errc::bad_origin, 2},
    {"two spaces in an origin", with("o=- ", "o=-  "), errc::bad_origin, 2},
    {"a session id with letters", with("o=- 48", "o=- x48"), errc::bad_origin, 2},  // req: 8866-5.2-c
    {"a negative session version", with(" 2 IN", " -2 IN"), errc::bad_origin, 2},
    {"an empty name", with("s=-", "s="), errc::bad_session_name, 3},
    {"an empty i", with("t=0 0", "i=\r\nt=0 0"), errc::bad_text, 4},
    {"an empty u", with("t=0 0", "u=\r\nt=0 0"), errc::bad_text, 4},
    {"an empty k", with("a=group", "k=\r\na=group"), errc::bad_text, 5},
    {"a connection of two words", with("c=IN IP4 0.0.0.0", "c=IN IP4"), errc::bad_connection, 9},
    {"a connection of four words", with("c=IN IP4 0.0.0.0", "c=IN IP4 0.0.0.0 x"), errc::bad_connection, 9},
    {"an address that is none", with("c=IN IP4 0.0.0.0", "c=IN IP4 256.0.0.1"), errc::bad_connection, 9},
    {"an IPv6 address as IP4", with("c=IN IP4 0.0.0.0", "c=IN IP4 ::1"), errc::bad_connection, 9},
    {"an IPv4 address as IP6", with("c=IN IP4 0.0.0.0", "c=IN IP6 0.0.0.0"), errc::bad_connection, 9},
    {"a TTL with a unicast address", with("c=IN IP4 0.0.0.0", "c=IN IP4 192.0.2.1/127"), errc::bad_connection, 9},
    {"IPv4 multicast without a TTL", with("c=IN IP4 0.0.0.0", "c=IN IP4 224.2.1.1"), errc::bad_connection,
     9},  // req: 8866-5.7-e
    {"a TTL of 256", with("c=IN IP4 0.0.0.0", "c=IN IP4 224.2.1.1/256"), errc::bad_connection, 9},
    {"a count of 0", with("c=IN IP4 0.0.0.0", "c=IN IP4 224.2.1.1/1/0"), errc::bad_connection, 9},
    {"IPv6 multicast with a TTL and a count", with("c=IN IP4 0.0.0.0", "c=IN IP6 ff02::1/1/2"), errc::bad_connection, 9},
    {"a name with a TTL", with("c=IN IP4 0.0.0.0", "c=IN IP4 host.example/3"), errc::bad_connection, 9},
    {"no connection anywhere", lacking("c="), errc::missing_line, 8},                        // req: 8866-5.7-a
    {"bandwidth without a number", with("t=0 0", "b=AS\r\nt=0 0"), errc::bad_bandwidth, 4},  // req: 8866-5.8-b
    {"bandwidth with an empty number", with("t=0 0", "b=AS:\r\nt=0 0"), errc::bad_bandwidth, 4},
    {"bandwidth with letters", with("t=0 0", "b=AS:x\r\nt=0 0"), errc::bad_bandwidth, 4},
    {"bandwidth without a type", with("t=0 0", "b=:1\r\nt=0 0"), errc::bad_bandwidth, 4},
    {"a time of one number", with("t=0 0", "t=0"), errc::bad_timing, 4},
    {"a time of three numbers", with("t=0 0", "t=0 0 0"), errc::bad_timing, 4},
    {"a time with letters", with("t=0 0", "t=0 x"), errc::bad_timing, 4},
    {"a time without numbers", with("t=0 0", "t="), errc::bad_timing, 4},
    {"a repeat of two numbers", with("t=0 0", "t=0 0\r\nr=7d 1h"), errc::bad_timing, 5},
    {"a repeat with another unit", with("t=0 0", "t=0 0\r\nr=7w 1h 0"), errc::bad_timing, 5},
    {"zones that are no pairs", with("t=0 0", "t=0 0\r\nz=0"), errc::bad_timing, 5},
    {"an attribute without a name", adding("a=:x"), errc::bad_attribute, 18},
    {"an empty attribute", adding("a="), errc::bad_attribute, 18},
    {"an attribute name with a space", adding("a=mi d:x"), errc::bad_attribute, 18},
    {"an attribute name beyond ASCII", adding("a=m\xc3\xb8:x"), errc::bad_attribute, 18},  // req: 8866-5.13-a
    // media lines
    // req: 8866-5.14-a 8866-5.14-b
    {"no format", with(" webrtc-datachannel", ""), errc::bad_media, 8},
    {"no protocol", with(" UDP/DTLS/SCTP webrtc-datachannel", ""), errc::bad_media, 8},
    {"an empty media line", with("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m="), errc::bad_media, 8},
    {"two spaces", with("application 9", "application  9"), errc::bad_media, 8},
    {"a space at the end", with("webrtc-datachannel", "webrtc-datachannel "), errc::bad_media, 8},
    {"port 65536", with(" 9 ", " 65536 "), errc::bad_media, 8},
    {"port -1", with(" 9 ", " -1 "), errc::bad_media, 8},
    {"a port with letters", with(" 9 ", " x "), errc::bad_media, 8},
    {"a count of 0 ports", with(" 9 ", " 9/0 "), errc::bad_media, 8},
    {"two slashes in a port", with(" 9 ", " 9/1/1 "), errc::bad_media, 8},
    {"an empty part of a protocol", with("UDP/DTLS/SCTP", "UDP//SCTP"), errc::bad_media, 8},
    {"a protocol that ends with a slash", with("UDP/DTLS/SCTP", "UDP/"), errc::bad_media, 8},
    // sections
    {"no section", session + "t=0 0\r\n", errc::no_data_section, 0},
    {"only audio", session + "t=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n", errc::no_data_section, 5},
    {"another application", with("UDP/DTLS/SCTP webrtc-datachannel", "TCP/BFCP *"), errc::no_data_section, 8},
    {"another format", with("webrtc-datachannel", "webrtc-other"), errc::no_data_section, 8},
    {"two formats", with("webrtc-datachannel", "webrtc-datachannel x"), errc::no_data_section, 8},  // req: 8841-4.3-a
    {"bare SCTP", with("UDP/DTLS/SCTP", "SCTP"), errc::no_data_section, 8},
    {"the old syntax without its map", with("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000"), errc::no_data_section, 8},
    {"the old syntax with a map for another port", fixtures::replaced(fixtures::aiortc, "sctpmap:5000", "sctpmap:5001"),
     errc::no_data_section, 7},
    // ICE
    // req: 8829-5.8.3-a 8839-5.4-d 8829-5.1.1-a 8839-5.4-a 8839-4.2.5-c 8839-4.3.2-e
    {"no ufrag", lacking("a=ice-ufrag"), errc::missing_attribute, 8},
    {"no pwd", lacking("a=ice-pwd"), errc::missing_attribute, 8},
    {"a ufrag of 3", with("ufrag:Rk2d", "ufrag:Rk2"), errc::bad_attribute, 10},
    {"a ufrag of 257", with("ufrag:Rk2d", "ufrag:" + std::string(257, 'u')), errc::bad_attribute, 10},
    {"a ufrag with a minus", with("ufrag:Rk2d", "ufrag:Rk-d"), errc::bad_attribute, 10},
    {"an empty ufrag", with("ufrag:Rk2d", "ufrag:"), errc::bad_attribute, 10},
    {"a pwd of 21", with("pT1HRb8o3nA1yuQd1MMaXq4Z", std::string(21, 'p')), errc::bad_attribute, 11},
    {"a pwd of 257", with("pT1HRb8o3nA1yuQd1MMaXq4Z", std::string(257, 'p')), errc::bad_attribute, 11},
    {"a pwd with a space", with("pT1HRb8o3nA1yuQd1MMaXq4Z", "pT1HRb8o3nA1 yuQd1MMaXq4"), errc::bad_attribute, 11},
    {"two ufrags", adding("a=ice-ufrag:Rk2d"), errc::duplicate_attribute, 10},
    {"two pwds", adding("a=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z"), errc::duplicate_attribute, 11},
    {"two passwords for one fragment", fixtures::replaced(fixtures::with_media, "pT1H", "XXXX"), errc::bad_attribute,
     22},                                                                 // req: 8839-5.4-b
    {"ice-mismatch", adding("a=ice-mismatch"), errc::bad_attribute, 18},  // req: 8839-4.2.5-d
    {"ice-options without a word", with("ice-options:trickle", "ice-options:"), errc::bad_attribute, 12},
    {"ice-options with two spaces", with("ice-options:trickle", "ice-options:trickle  ice2"), errc::bad_attribute, 12},
    {"ice-pacing with letters", adding("a=ice-pacing:fast"), errc::bad_attribute, 18},
    {"ice-pacing of 11 digits", adding("a=ice-pacing:00000000050"), errc::bad_attribute, 18},
    {"remote-candidates without a port", adding("a=remote-candidates:1 192.0.2.1"), errc::bad_attribute,
     18},  // req: 8839-5.2-a
    {"remote-candidates of component 0", adding("a=remote-candidates:0 192.0.2.1 9"), errc::bad_attribute, 18},
    // DTLS
    // req: 8829-5.8.3-b 8829-5.1.1-c
    {"no fingerprint", lacking("a=fingerprint"), errc::missing_attribute, 8},
    {"md5 only",
     with("sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08",
          "md5 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35"),
     errc::missing_attribute, 8},  // req: 8122-5-b
    {"a digest too short", with(":19:08", ":19"), errc::bad_attribute, 13},
    {"a digest too long", with(":19:08", ":19:08:00"), errc::bad_attribute, 13},
    {"a digest without colons", with("7B:8B:F0", "7B8BF0"), errc::bad_attribute, 13},
    {"a digest with other letters", with("7B:8B", "7G:8B"), errc::bad_attribute, 13},
    {"a fingerprint without a digest", with("sha-256 7B", "sha-2567B"), errc::bad_attribute, 13},
    {"an empty fingerprint", adding("a=fingerprint:"), errc::bad_attribute, 18},
    {"no setup", lacking("a=setup"), errc::missing_attribute, 8},
    {"holdconn", with("setup:actpass", "setup:holdconn"), errc::bad_setup, 14},  // req: 8841-9.5-a 8842-5.1-b
    {"an unknown setup", with("setup:actpass", "setup:both"), errc::bad_setup, 14},
    {"an empty setup", with("setup:actpass", "setup:"), errc::bad_setup, 14},
    {"two setups", adding("a=setup:active"), errc::duplicate_attribute, 14},
    {"a tls-id of 19", adding("a=tls-id:" + std::string(19, 'x')), errc::bad_attribute, 18},
    {"a tls-id of 256", adding("a=tls-id:" + std::string(256, 'x')), errc::bad_attribute, 18},
    {"a tls-id with a dot", adding("a=tls-id:" + std::string(20, '.')), errc::bad_attribute, 18},
    // SCTP
    // req: 8829-5.8.2-a 8841-5.1-a 8841-5.2-a 8841-6.2-a
    {"no sctp-port", lacking("a=sctp-port"), errc::missing_attribute, 8},
    {"sctp-port 05000", with("sctp-port:5000", "sctp-port:05000"), errc::bad_attribute, 16},
    {"sctp-port 65536", with("sctp-port:5000", "sctp-port:65536"), errc::bad_attribute, 16},
    {"sctp-port -1", with("sctp-port:5000", "sctp-port:-1"), errc::bad_attribute, 16},
    {"an empty sctp-port", with("sctp-port:5000", "sctp-port:"), errc::bad_attribute, 16},
    {"two sctp-ports", adding("a=sctp-port:5000"), errc::duplicate_attribute, 16},
    {"max-message-size 0262144", with("262144", "0262144"), errc::bad_attribute, 17},
    {"max-message-size with letters", with("262144", "256k"), errc::bad_attribute, 17},
    {"max-message-size of 2^64", with("262144", "18446744073709551616"), errc::bad_attribute, 17},
    {"two max-message-sizes", adding("a=max-message-size:1"), errc::duplicate_attribute, 17},
    // mids and groups
    // req: 9143-5-a
    {"two mids in a section", adding("a=mid:1"), errc::duplicate_attribute, 15},
    {"an empty mid", with("a=mid:0", "a=mid:"), errc::bad_attribute, 15},
    {"a mid with a space", with("a=mid:0", "a=mid:0 1"), errc::bad_attribute, 15},
    {"one mid in two sections", fixtures::replaced(fixtures::with_media, "a=mid:2", "a=mid:1"), errc::duplicate_attribute, 31},
    {"a mid in two groups", with("a=group:BUNDLE 0\r\n", "a=group:BUNDLE 0\r\na=group:BUNDLE 0\r\n"), errc::bad_bundle, 6},
    {"a mid twice in a group", with("BUNDLE 0", "BUNDLE 0 0"), errc::bad_bundle, 5},
    {"an empty group", with("a=group:BUNDLE 0", "a=group:"), errc::bad_bundle, 5},
};

}  // namespace

TEST_CASE("a malformed description is refused with the line and the reason") {
  CHECK(table.size() >= 100);
  for (const auto& m : table) {
    CAPTURE(m.what);
    const auto d = sdp::parse_data_description(m.text);
    REQUIRE_FALSE(d);
    CHECK(d.error() == m.expected);
    CHECK_FALSE(d.error().expected.empty());
    const auto line = d.error().offset == base::error::nowhere ? 0 : sdp::line_of(m.text, d.error().offset);
    CHECK(line == m.line);
  }
}

TEST_CASE("an error is explained as a sentence") {
  const auto text = with("setup:actpass", "setup:holdconn");
  const auto d = sdp::parse_data_description(text);
  REQUIRE_FALSE(d);
  CHECK(sdp::explain(d.error(), text) == "sdp: the setup roles do not fit, line 14 (byte " +
                                             std::to_string(text.find("a=setup")) + "): expected actpass, active or passive");
}

// req: 8866-7-a 8866-7-b
TEST_CASE("a description cut anywhere is refused or is a description") {
  for (const auto* text :
       {&fixtures::chromium, &fixtures::firefox, &fixtures::libdatachannel, &fixtures::aiortc, &fixtures::with_media})
    for (std::size_t n = 0; n < text->size(); ++n) {
      const auto lines = sdp::parse(text->substr(0, n));
      if (!lines) continue;
      const auto again = sdp::parse(sdp::format(*lines));
      REQUIRE(again);
      CHECK(*again == *lines);
    }
}
