#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "sdp/data_description.hpp"

using namespace strata;

namespace {
sdp::data_description must_read(const std::string& text) {
  auto d = sdp::parse_data_description(text);
  if (!d) FAIL(sdp::explain(d.error(), text));
  return *d;
}
sdp::data_description with(std::string_view line) { return must_read(fixtures::with_line(fixtures::chromium, line)); }
std::string in_place(std::string_view from, std::string_view to) { return fixtures::replaced(fixtures::chromium, from, to); }
}  // namespace

// req: 8839-5.4-d 8829-5.8.3-a
TEST_CASE("the shortest and the longest credentials") {
  CHECK(must_read(in_place("ufrag:Rk2d", "ufrag:a+/9")).ice_ufrag == "a+/9");
  CHECK(must_read(in_place("ufrag:Rk2d", "ufrag:" + std::string(256, 'u'))).ice_ufrag.size() == 256);
  CHECK(must_read(in_place("pT1HRb8o3nA1yuQd1MMaXq4Z", std::string(22, 'p'))).ice_pwd.size() == 22);
  CHECK(must_read(in_place("pT1HRb8o3nA1yuQd1MMaXq4Z", std::string(256, 'p'))).ice_pwd.size() == 256);
}

// req: 8841-6.1-b
TEST_CASE("how large a message may be") {
  CHECK(must_read(fixtures::without_line(fixtures::chromium, "a=max-message-size")).max_message_size == 65536);
  CHECK(must_read(in_place("size:262144", "size:0")).max_message_size == 0);
  CHECK(must_read(in_place("size:262144", "size:18446744073709551615")).max_message_size == 18446744073709551615u);
}

TEST_CASE("SCTP ports at the edges") {
  CHECK(must_read(in_place("sctp-port:5000", "sctp-port:0")).sctp_port == 0);
  CHECK(must_read(in_place("sctp-port:5000", "sctp-port:65535")).sctp_port == 65535);
}

// req: 8839-4.2.1.4-a 8829-5.1.1-b 8839-5.6-a
TEST_CASE("lite peers, old peers and peers with options of their own") {
  CHECK(must_read(in_place("a=group", "a=ice-lite\r\na=group")).ice_lite);
  const auto old = must_read(fixtures::without_line(fixtures::chromium, "a=ice-options"));
  CHECK_FALSE(old.trickle);
  CHECK_FALSE(old.ice2);
  const auto many = must_read(in_place("ice-options:trickle", "ice-options:rtp+ecn trickle renomination ice2 x-foo"));
  CHECK(many.trickle);
  CHECK(many.ice2);
  CHECK(many.ice_options == std::vector<std::string>{"rtp+ecn", "renomination", "x-foo"});
  CHECK(with("a=ice-pacing:50").ice_pacing_ms == 50);
}

// req: 8839-4.2.5-a 8839-4.2.5-b
TEST_CASE("a default destination that is no candidate is no mismatch") {
  CHECK(must_read(fixtures::chromium).default_port == 9);
  CHECK(must_read(in_place("c=IN IP4 0.0.0.0", "c=IN IP4 host.example")).default_connection.address == "host.example");
  CHECK(must_read(in_place("c=IN IP4 0.0.0.0", "c=IN IP6 ::")).default_connection.address == "::");
}

// req: 8829-5.8.2-b 8839-5.1-j
TEST_CASE("candidates are handed on as they are") {
  const auto d = must_read(
      fixtures::with_line(fixtures::with_line(fixtures::with_line(fixtures::chromium, "a=candidate:whatever"),
                                              "a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host generation 0 network-id 1"),
                          "a=remote-candidates:1 192.0.2.1 5000"));
  CHECK(d.candidates == std::vector<std::string>{"candidate:whatever",
                                                 "candidate:1 1 UDP 1 192.0.2.1 5000 typ host generation 0 network-id 1"});
  CHECK_FALSE(d.end_of_candidates);
}

// req: 8122-5.1-c 8122-5.1-b
TEST_CASE("fingerprints of several hash functions, of which unknown ones cost only themselves") {
  const auto d = must_read(fixtures::with_line(
      fixtures::with_line(
          fixtures::with_line(fixtures::chromium, "a=fingerprint:md5 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35"),
          "a=fingerprint:sha-9000 00:11"),
      "a=fingerprint:sha-1 7b:8b:f0:65:5f:78:e2:51:3b:ac:6f:f3:3f:46:1b:35:dc:b8:5f:64"));
  REQUIRE(d.fingerprints.size() == 2);
  CHECK(d.fingerprints[0].algorithm == crypto::hash_function::sha_256);
  CHECK(d.fingerprints[1].algorithm == crypto::hash_function::sha_1);
}

TEST_CASE("a section's own attributes count instead of the session's") {
  const auto text = in_place("a=group",
                             "a=setup:passive\r\na=ice-ufrag:sess\r\na=fingerprint:sha-1 "
                             "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\na=group");
  const auto d = must_read(text);
  CHECK(d.setup == sdp::setup_role::actpass);
  CHECK(d.ice_ufrag == "Rk2d");
  CHECK(d.fingerprints.size() == 1);
  CHECK(must_read(fixtures::without_line(text, "a=setup:actpass")).setup == sdp::setup_role::passive);
}

// req: 8841-9.2-a 8866-6.7-a 8866-6.7-b
TEST_CASE("directions mean nothing to a data section") {
  const auto plain = must_read(fixtures::chromium);
  CHECK(with("a=recvonly") == plain);
  CHECK(with("a=inactive") == plain);
  CHECK(must_read(fixtures::with_line(fixtures::with_line(fixtures::chromium, "a=sendonly"), "a=recvonly")) == plain);
  CHECK(with("a=charset:UTF-8") == with("a=charset:utf-8"));  // req: 8866-6.10-a
}

TEST_CASE("a second data section is another section") {
  const auto text = fixtures::chromium + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:7\r\n";
  const auto d = must_read(text);
  CHECK(d.mid == "0");
  REQUIRE(d.others.size() == 1);
  CHECK(d.others[0].mid == "7");
  // The first that is not rejected counts.
  const auto second = must_read(
      fixtures::replaced(fixtures::chromium, "m=application 9",
                         "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:7\r\nm=application 9"));
  CHECK(second.mid == "0");
  CHECK(second.index == 1);
}

TEST_CASE("a section without a mid is read, and answered without one") {
  const auto d = must_read(fixtures::without_line(fixtures::chromium, "a=mid"));
  CHECK(d.mid.empty());
  CHECK_FALSE(d.bundled);
}

TEST_CASE("meaning survives writing and reading, for every peer") {
  for (const auto* text : {&fixtures::chromium, &fixtures::chromium_snap, &fixtures::firefox, &fixtures::firefox_answer,
                           &fixtures::libdatachannel, &fixtures::aiortc, &fixtures::pion, &fixtures::with_media}) {
    const auto d = must_read(*text);
    CHECK(must_read(sdp::format_data_description(d)) == d);
  }
}

TEST_CASE("a refusal that does not say what it refuses is read as one, and answered to the same section") {
  const auto text = fixtures::replaced(fixtures::replaced(fixtures::chromium, "webrtc-datachannel", "5000"), "m=application 9",
                                       "m=application 0");
  const auto d = must_read(text);
  CHECK(d.rejected);
  CHECK(must_read(sdp::format_data_description(d)) == d);
  // Behind a section that is not refused and not understood it is not.
  const auto behind =
      fixtures::replaced(text, "m=application 0", "m=application 9 UDP/DTLS/SCTP x\r\nc=IN IP4 0.0.0.0\r\nm=application 0");
  CHECK(sdp::parse_data_description(behind).error() == sdp::errc::no_data_section);
}
