#include "sdp/negotiation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "fixtures.hpp"

using namespace strata;
using sdp::errc;
using sdp::setup_role;

namespace {

sdp::data_description must_read(const std::string& text) {
  auto d = sdp::parse_data_description(text);
  if (!d) FAIL(sdp::explain(d.error(), text));
  return *d;
}

// What a peer knows of itself before it offers or answers.
sdp::data_description ourselves() {
  sdp::data_description d;
  d.session_id = 4611731400430051336u;
  d.ice_ufrag = "abcdefgh";
  d.ice_pwd = "abcdefghijklmnopqrstuvwx";
  d.fingerprints = {*crypto::parse_fingerprint("sha-256 " + std::string(fixtures::digest))};
  d.tls_id = sdp::make_tls_id(std::array<std::uint8_t, 24>{1, 2, 3});
  d.max_message_size = 262144;
  return d;
}

sdp::data_description active(sdp::data_description d) {
  d.setup = setup_role::active;
  return d;
}

}  // namespace

// req: 8829-5.1.2-a 8829-5.2.1-a 8829-5.2.1-b 8829-5.2.1-d 8829-5.2.1-g 8829-5.2.1-h 8829-5.2.1-i 8829-5.2.1-j 8829-5.2.1-k
// req: 8829-5.2.1-l 8829-5.2.1-n 8829-5.2.1-o 8829-5.2.1-p 8839-4.2.1.5-a 8839-4.2.1.4-b 8839-4.3.1-a 8841-10.1-a 8841-10.2-a
// req: 8838-3-b 8838-3-c 8445-10-a 8842-5.2-a 8122-5-a 8122-5-c 8122-5.1-a 8866-7-c 9143-7.2.1-a 8866-5.7-d 8866-5.2-b 8866-5-h
// 8866-5-i 8829-5.2.1-m
TEST_CASE("the first offer, to the letter") {
  CHECK(sdp::format_data_description(sdp::create_offer(ourselves())) == fixtures::crlf(R"(v=0
o=- 4611731400430051336 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=ice-options:trickle ice2
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:abcdefgh
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=tls-id:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAA
a=sctp-port:5000
a=max-message-size:262144
)"));
}

// req: 8829-5.2.2-d 8839-4.4.1.2.1-b 8839-4.3.2-d
TEST_CASE("candidates are listed, and the best of them is the default destination") {
  auto own = ourselves();
  own.candidates = {"candidate:1 1 UDP 2122317823 192.0.2.9 53917 typ host",
                    "candidate:2 1 UDP 2122187263 2001:db8::9 53918 typ host"};
  auto d = sdp::create_offer(own);
  CHECK(d.default_port == 53917);
  CHECK(d.default_connection == sdp::connection{"IN", "IP4", "192.0.2.9"});
  own.candidates.push_back("candidate:3 1 UDP 1686109951 2001:db8:5::5 40101 typ srflx raddr 2001:db8::9 rport 53918");
  own.end_of_candidates = true;
  d = sdp::create_offer(own);
  CHECK(d.default_connection == sdp::connection{"IN", "IP6", "2001:db8:5::5"});
  const auto text = sdp::format_data_description(d);
  CHECK(text.find("m=application 40101 ") != std::string::npos);
  CHECK(text.find("a=candidate:3 1 UDP") != std::string::npos);
  CHECK(text.ends_with("a=end-of-candidates\r\n"));
  CHECK(must_read(text) == d);
  // A name is no address; TCP is not this transport; a second component is not ours.
  own.candidates = {"candidate:1 1 UDP 1 5e1f2f35-9a9b-4e4a-9d54-1b2c9ee9b0aa.local 5000 typ host",
                    "candidate:1 1 TCP 1 192.0.2.9 9 typ host tcptype active", "candidate:1 2 UDP 1 192.0.2.9 5001 typ host",
                    "nonsense"};
  d = sdp::create_offer(own);
  CHECK(d.default_port == 9);
  CHECK(d.default_connection == sdp::connection());
}

// req: 8829-5.2.1-c
TEST_CASE("session ids stay below 2^63") {
  auto own = ourselves();
  own.session_id = 0xffffffffffffffff;
  CHECK(sdp::create_offer(own).session_id == 0x7fffffffffffffff);
}

// req: 8829-5.3.1-c 8829-5.3.1-d 8829-5.3.1-e 8839-4.3.2-a 8839-4.3.2-c 8841-10.3-a 8842-5.3-a 8829-5.3.1-h 9143-7.3-a
// req: 8839-4.4.2-a
TEST_CASE("every peer's offer is answered in its own terms") {
  for (const auto* text : {&fixtures::chromium, &fixtures::chromium_snap, &fixtures::firefox, &fixtures::libdatachannel,
                           &fixtures::aiortc, &fixtures::pion, &fixtures::with_media}) {
    const auto offer = must_read(*text);
    const auto answer = sdp::create_answer(ourselves(), offer);
    REQUIRE(answer);
    CHECK(answer->setup == setup_role::active);
    CHECK(answer->mid == offer.mid);
    CHECK(answer->bundled);
    CHECK(answer->protocol == offer.protocol);
    CHECK(answer->tls_id.empty());  // req: 8842-5.3-b
    CHECK(sdp::check_answer(offer, *answer));
    const auto written = sdp::format_data_description(*answer);
    CHECK(written.find("remote-candidates") == std::string::npos);
    const auto theirs = must_read(written);
    CHECK(sdp::check_answer(offer, theirs));
    CHECK(theirs == *answer);
  }
}

// req: 8829-5.3.1-b 9143-7.3.3-a 8829-5.3.1-a 8839-4.2.1.6-b 8839-4.4.1.1.2-a
TEST_CASE("audio and video are rejected in place, and leave the group") {
  const auto offer = must_read(fixtures::with_media);
  CHECK(offer.index == 1);
  CHECK(offer.others.size() == 2);
  auto own = ourselves();
  own.candidates = {"candidate:1 1 UDP 2122317823 192.0.2.9 53917 typ host"};
  const auto answer = sdp::create_answer(own, offer);
  REQUIRE(answer);
  const auto text = sdp::format_data_description(*answer);
  const auto audio = text.find("m=audio 0 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\nm=application"),
             video = text.find("m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n");
  CHECK(audio != std::string::npos);
  CHECK(video != std::string::npos);
  CHECK(audio < video);
  CHECK(text.find("a=group:BUNDLE 1\r\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), 'm') > 3);
  CHECK(text.find("bundle-only") == std::string::npos);
}

// req: 8829-5.3.1-f 8842-5.3-f
TEST_CASE("an offerer that insists on a role gets the other") {
  auto offer = must_read(fixtures::chromium);
  offer.setup = setup_role::active;
  CHECK(sdp::create_answer(ourselves(), offer)->setup == setup_role::passive);
  offer.setup = setup_role::passive;
  CHECK(sdp::create_answer(ourselves(), offer)->setup == setup_role::active);
}

// req: 8841-10.3-b 8841-10.3-c
TEST_CASE("port zero is answered with port zero, at either level") {
  auto offer = must_read(fixtures::chromium);
  offer.sctp_port = 0;
  CHECK(sdp::create_answer(ourselves(), offer)->sctp_port == 0);
  const auto rejected = must_read(fixtures::replaced(fixtures::chromium, "m=application 9", "m=application 0"));
  CHECK(rejected.rejected);
  const auto answer = sdp::create_answer(ourselves(), rejected);
  REQUIRE(answer);
  const auto text = sdp::format_data_description(*answer);
  CHECK(text.find("m=application 0 ") != std::string::npos);
  CHECK(text.find("a=group") == std::string::npos);
  CHECK(text.find("ice-ufrag") == std::string::npos);
  CHECK(must_read(text).rejected);
  // With bundle-only it is no refusal.
  CHECK_FALSE(must_read(fixtures::with_line(fixtures::replaced(fixtures::chromium, "m=application 9", "m=application 0"),
                                            "a=bundle-only"))
                  .rejected);
}

// req: 8829-5.8.3-e 9143-7.4-a 9143-7.4-b
TEST_CASE("an answer that does not fit the offer is refused") {
  const auto offer = sdp::create_offer(ourselves());
  const auto good = active(offer);
  CHECK(sdp::check_answer(offer, good));
  auto passive = good;
  passive.setup = setup_role::passive;
  CHECK(sdp::check_answer(offer, passive));
  auto undecided = good;
  undecided.setup = setup_role::actpass;
  CHECK(sdp::check_answer(offer, undecided).error() == errc::bad_setup);
  auto mid = good;
  mid.mid = "1";
  CHECK(sdp::check_answer(offer, mid).error() == errc::answer_mismatch);
  auto protocol = good;
  protocol.protocol = "TCP/DTLS/SCTP";
  CHECK(sdp::check_answer(offer, protocol).error() == errc::answer_mismatch);
  auto more = good;
  more.others.push_back({"audio", "UDP/TLS/RTP/SAVPF", {"0"}, "1", true});
  CHECK(sdp::check_answer(offer, more).error() == errc::answer_mismatch);
  auto unbundled = good;
  unbundled.bundled = false;
  CHECK(sdp::check_answer(offer, unbundled));
  auto loose = offer;
  loose.bundled = false;
  CHECK(sdp::check_answer(loose, good).error() == errc::bad_bundle);
  auto no = good;
  no.rejected = true;
  CHECK(sdp::check_answer(offer, no));
  auto never = offer;
  never.rejected = true;
  CHECK(sdp::check_answer(never, good).error() == errc::answer_mismatch);
  auto insisting = offer;
  insisting.setup = setup_role::active;
  CHECK(sdp::check_answer(insisting, good).error() == errc::bad_setup);
  CHECK(sdp::check_answer(insisting, passive));
}

// req: 8829-5.2.2-a 8829-5.2.2-b 8829-5.2.2-c 8842-5.5-a 8839-4.4.1.2.1-a 8839-4.4.1.1.1-d
TEST_CASE("a second offer is the next version of the first") {
  const auto first = sdp::create_offer(ourselves());
  auto own = ourselves();
  own.session_id = 1;
  own.tls_id.clear();
  const auto second = sdp::create_offer(own, &first);
  auto expected = first;
  expected.session_version = 2;
  CHECK(second == expected);
  CHECK(sdp::check_change(first, second));
  // After we answered an offer with other sections and another mid, they stay where they were.
  const auto answer = sdp::create_answer(ourselves(), must_read(fixtures::with_media));
  REQUIRE(answer);
  const auto third = sdp::create_offer(ourselves(), &*answer);
  CHECK(third.mid == "1");
  CHECK(third.index == 1);
  CHECK(third.others == answer->others);
  CHECK(third.setup == setup_role::actpass);
}

// req: 8829-5.3.2-a 8829-5.3.2-b 8829-5.3.2-c 8842-5.3-d
TEST_CASE("a second answer keeps the roles of the living association") {
  auto offer = sdp::create_offer(ourselves());
  auto own = ourselves();
  own.tls_id = sdp::make_tls_id(std::array<std::uint8_t, 24>{9});
  const auto first = sdp::create_answer(own, offer);
  REQUIRE(first);
  CHECK(first->setup == setup_role::active);
  CHECK(first->tls_id == own.tls_id);
  const auto again = sdp::create_offer(ourselves(), &offer);
  own.tls_id.clear();
  const auto second = sdp::create_answer(own, again, &*first);
  REQUIRE(second);
  auto expected = *first;
  expected.session_version = 2;
  CHECK(*second == expected);
  auto passive = *first;
  passive.setup = setup_role::passive;
  CHECK(sdp::create_answer(own, again, &passive)->setup == setup_role::passive);
  auto insisting = again;
  insisting.setup = setup_role::active;
  CHECK(sdp::create_answer(own, insisting, &*first).error() == errc::bad_setup);
}

// req: 8839-4.4.1.1.1-a 8829-5.8.3-c 8829-5.8.3-d 8839-4.4.2.1-b 8829-5.10-a
TEST_CASE("what may change, and what only with a restart") {
  const auto last = active(must_read(fixtures::chromium));
  CHECK(sdp::check_change(last, last));
  auto restart = last;
  restart.ice_ufrag = "newu";
  restart.ice_pwd = "0123456789012345678901";
  CHECK(sdp::is_ice_restart(last, restart));
  CHECK(sdp::check_change(last, restart));
  auto half = last;
  half.ice_ufrag = "newu";
  CHECK_FALSE(sdp::is_ice_restart(last, half));
  CHECK(sdp::check_change(last, half).error() == errc::bad_change);
  auto lite = last;
  lite.ice_lite = true;
  CHECK(sdp::check_change(last, lite).error() == errc::bad_change);
  auto pacing = last;
  pacing.ice_pacing_ms = 100;
  CHECK(sdp::check_change(last, pacing).error() == errc::bad_change);
  auto id = last;
  id.tls_id = std::string(24, 'x');
  CHECK(sdp::is_new_dtls_association(last, id));
  CHECK(sdp::check_change(last, id).error() == errc::bad_change);
  auto both = restart;
  both.tls_id = id.tls_id;
  CHECK(sdp::check_change(last, both));
  auto flipped = last;
  flipped.setup = setup_role::passive;
  CHECK_FALSE(sdp::check_change(last, flipped));
  auto named = id, named_flip = id;
  named_flip.setup = setup_role::passive;
  CHECK(sdp::check_change(named, named_flip).error() == errc::bad_setup);
  auto other = last;
  other.fingerprints.front().digest[0] ^= 1;
  CHECK(sdp::is_new_dtls_association(last, other));
  CHECK(sdp::check_change(last, other).error() == errc::bad_change);
  auto more = last;
  more.candidates.push_back("candidate:9 1 UDP 1 192.0.2.1 1 typ host");
  more.end_of_candidates = true;
  more.setup = setup_role::actpass;
  CHECK(sdp::check_change(last, more));
}

// req: 8839-4.4.1.1.1-b
TEST_CASE("credentials that move between the levels are the same credentials") {
  const auto moved = fixtures::replaced(
      fixtures::without_line(fixtures::without_line(fixtures::chromium, "a=ice-ufrag"), "a=ice-pwd"), "a=group:BUNDLE 0\r\n",
      "a=group:BUNDLE 0\r\na=ice-ufrag:Rk2d\r\na=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z\r\n");
  CHECK_FALSE(sdp::is_ice_restart(must_read(fixtures::chromium), must_read(moved)));
}

// req: 8842-4-a 8842-4-b
TEST_CASE("tls-ids have 192 random bits in characters that may stand there") {
  std::array<std::uint8_t, 24> random{};
  random.fill(0xff);
  const auto id = sdp::make_tls_id(random);
  CHECK(id.size() == 32);
  auto d = active(must_read(fixtures::chromium));
  d.tls_id = id;
  CHECK(must_read(sdp::format_data_description(d)).tls_id == id);
  random[0] = 0;
  CHECK(sdp::make_tls_id(random) != id);
}

// req: 8829-5.2.3.1-a 8839-4.4.2.1-a 8842-3.3-a 8842-3.2-a 8842-5.5-b
TEST_CASE("an ICE restart keeps the DTLS association unless a new tls-id says otherwise") {
  const auto first = sdp::create_offer(ourselves());
  auto own = ourselves();
  own.ice_ufrag = "restarted";
  own.ice_pwd = "ABCDEFGHIJKLMNOPQRSTUVWX";
  const auto restart = sdp::create_offer(own, &first);
  CHECK(sdp::is_ice_restart(first, restart));
  CHECK_FALSE(sdp::is_new_dtls_association(first, restart));
  CHECK(restart.tls_id == first.tls_id);
  CHECK(restart.session_id == first.session_id);
  CHECK(sdp::check_change(first, restart));
  const auto last_answer = sdp::create_answer(ourselves(), first);
  REQUIRE(last_answer);
  const auto answer = sdp::create_answer(own, restart, &*last_answer);
  REQUIRE(answer);
  CHECK(sdp::is_ice_restart(*last_answer, *answer));
  CHECK(answer->setup == last_answer->setup);

  own.tls_id = sdp::make_tls_id(std::array<std::uint8_t, 24>{5});
  const auto fresh = sdp::create_offer(own, &first);
  CHECK(sdp::is_new_dtls_association(first, fresh));
  CHECK(fresh.tls_id != first.tls_id);
  CHECK(sdp::check_change(first, fresh));
}
