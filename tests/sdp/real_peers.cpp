#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "sdp/data_description.hpp"
#include "sdp/negotiation.hpp"

using namespace strata;

namespace {
sdp::data_description must_read(const std::string& text) {
  auto d = sdp::parse_data_description(text);
  if (!d) FAIL(sdp::explain(d.error(), text));
  return *d;
}
}  // namespace

// req: 8829-5.2.1-r 8829-5.2.1-q 8829-3.5.5-a 8866-5.13-c 8866-5-c 8839-5.6-a
TEST_CASE("what browsers and libraries send is understood") {
  const auto chromium = must_read(fixtures::chromium);
  CHECK(chromium.session_id == 4834270155049274012u);
  CHECK(chromium.ice_ufrag == "Rk2d");
  CHECK(chromium.ice_pwd == "pT1HRb8o3nA1yuQd1MMaXq4Z");
  CHECK(chromium.trickle);
  CHECK_FALSE(chromium.ice2);
  CHECK_FALSE(chromium.ice_lite);
  CHECK(chromium.fingerprints.size() == 1);
  CHECK(crypto::format(chromium.fingerprints.front()) == "sha-256 " + std::string(fixtures::digest));
  CHECK(chromium.setup == sdp::setup_role::actpass);
  CHECK(chromium.mid == "0");
  CHECK(chromium.bundled);
  CHECK(chromium.sctp_port == 5000);
  CHECK(chromium.max_message_size == 262144);
  CHECK_FALSE(chromium.rejected);
  CHECK(chromium.candidates.empty());

  const auto snap = must_read(fixtures::chromium_snap);
  CHECK(snap.candidates.size() == 2);
  CHECK(snap.candidates[0] ==
        "candidate:2717202641 1 udp 2122260223 192.0.2.7 50123 typ host generation 0 network-id 1 network-cost 999");
  CHECK(snap.ice_options == std::vector<std::string>{"sped", "googspedv1"});
  CHECK(snap.sctp_init == "AQAAHC9g2Q8AUAAA//////4kBqDAAAAEgAgABsDA");
  CHECK(snap.default_port == 50123);
  CHECK(snap.default_connection.address == "192.0.2.7");

  const auto firefox = must_read(fixtures::firefox);
  CHECK(firefox.fingerprints.size() == 1);
  CHECK(firefox.trickle);
  CHECK(firefox.max_message_size == 1073741823);
  CHECK(must_read(fixtures::firefox_answer).setup == sdp::setup_role::active);

  const auto ldc = must_read(fixtures::libdatachannel);
  CHECK(ldc.candidates.size() == 3);
  CHECK(ldc.end_of_candidates);  // req: 8829-5.8.2-b
  CHECK(ldc.trickle);
  CHECK(ldc.ice2);

  const auto pion = must_read(fixtures::pion);
  CHECK(pion.ice_ufrag == "rQkXzTnUoVpWsYhA");
  CHECK(pion.candidates.size() == 2);
}

// req: 8829-5.1.2-b 8829-5.1.2-c 8829-5.3.1-g
TEST_CASE("the syntax from before RFC 8841 is read, answered in kind, and left behind in our own offers") {
  const auto aiortc = must_read(fixtures::aiortc);
  CHECK(aiortc.legacy_sctpmap);
  CHECK(aiortc.sctp_port == 5000);
  CHECK(aiortc.protocol == "DTLS/SCTP");
  CHECK_FALSE(aiortc.trickle);
  CHECK(aiortc.end_of_candidates);
  CHECK(aiortc.max_message_size == 65536);
  auto own = must_read(fixtures::chromium);
  const auto answer = sdp::create_answer(own, aiortc);
  REQUIRE(answer);
  const auto text = sdp::format_data_description(*answer);
  CHECK(text.find("m=application 9 DTLS/SCTP 5000\r\n") != std::string::npos);
  CHECK(text.find("a=sctpmap:5000 webrtc-datachannel 1024\r\n") != std::string::npos);
  CHECK(text.find("sctp-port") == std::string::npos);
  // req: 8829-5.1.2-d
  const auto again = sdp::format_data_description(sdp::create_offer(own, &*answer));
  CHECK(again.find("UDP/DTLS/SCTP webrtc-datachannel") != std::string::npos);
  CHECK(again.find("sctpmap") == std::string::npos);
  // The draft between the two: the old profile name with the new format.
  CHECK(must_read(fixtures::replaced(fixtures::chromium, "UDP/DTLS/SCTP", "DTLS/SCTP")).protocol == "DTLS/SCTP");
  CHECK(must_read(fixtures::replaced(fixtures::chromium, "UDP/DTLS/SCTP", "TCP/DTLS/SCTP")).protocol == "TCP/DTLS/SCTP");
}
