#include "signaling/message.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::signaling;

TEST_CASE("every name of a kind is understood and the plain one is written") {
  for (auto [name, k] : {std::pair("offer", kind::offer),
                         {"sdp_offer", kind::offer},
                         {"answer", kind::answer},
                         {"sdp_answer", kind::answer},
                         {"ice_candidate", kind::ice_candidate},
                         {"candidate", kind::ice_candidate},
                         {"ice", kind::ice_candidate},
                         {"sdp_candidate", kind::ice_candidate},
                         {"register", kind::registration}}) {
    const auto m = parse(R"({"type":")" + std::string(name) + R"(","peer_id":"a"})");
    REQUIRE(m);
    CHECK(m->what == k);
  }
  message m;
  m.what = kind::offer;
  m.peer_id = "a";
  m.target_id = "b";
  m.payload = base::json::make({{"sdp", "v=0"}});
  CHECK(format(m) == R"({"type":"offer","peer_id":"a","target_id":"b","payload":{"sdp":"v=0"}})");
  CHECK(format(m, dialect::sdp_names) == R"({"type":"sdp_offer","peer_id":"a","target_id":"b","payload":{"sdp":"v=0"}})");
}

TEST_CASE("an envelope without a payload is relayed with null and without a target it has none") {
  const auto m = parse(R"({"type":"register","peer_id":"a","extra":1})");
  REQUIRE(m);
  CHECK(format(*m) == R"({"type":"register","peer_id":"a","payload":null})");
}

TEST_CASE("text that is no envelope is an error that says why") {
  const std::pair<const char*, std::error_code> table[] = {
      {"[]", errc::not_an_object},
      {"\"offer\"", errc::not_an_object},
      {"{}", errc::no_type},
      {R"({"type":""})", errc::no_type},
      {R"({"type":null,"peer_id":"a"})", errc::no_type},
      {R"({"type":"offer"})", errc::no_peer_id},
      {R"({"type":"offer","peer_id":""})", errc::no_peer_id},
      {R"({"type":1,"peer_id":"a"})", errc::bad_field},
      {R"({"type":"offer","peer_id":["a"]})", errc::bad_field},
      {R"({"type":"offer","peer_id":"a","target_id":{}})", errc::bad_field},
      {"{", base::json_errc::syntax},
      {"{\"type\":\"offer\",\"peer_id\":\"\xff\"}", base::json_errc::not_utf8},
  };
  for (const auto& [text, code] : table) {
    CAPTURE(text);
    const auto m = parse(text);
    REQUIRE_FALSE(m);
    CHECK(m.error().code == code);
  }
  CHECK(parse(std::string(largest_message + 1, ' ')).error().code == errc::too_large);
}

TEST_CASE("sdp is found as text and as a session description object") {
  CHECK(sdp_of(*base::json::parse(R"({"sdp":"v=0"})")) == "v=0");
  CHECK(sdp_of(*base::json::parse(R"({"sdp":{"type":"offer","sdp":"v=0"}})")) == "v=0");
  CHECK(sdp_of(*base::json::parse(R"({"sdp":7})")).empty());
  CHECK(sdp_of(base::json()).empty());
}

TEST_CASE("candidates are found in both shapes and an empty one means the end") {
  const auto flat = candidate_of(
      *base::json::parse(R"({"candidate":"candidate:1 1 udp 1 192.0.2.1 1 typ host","sdpMid":"","sdpMLineIndex":0})"));
  REQUIRE(flat);
  CHECK(flat->candidate.starts_with("candidate:1"));
  const auto nested = candidate_of(
      *base::json::parse(R"({"candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}})"));
  REQUIRE(nested);
  CHECK(nested->candidate.empty());
  CHECK(nested->ufrag == "abcd");
  CHECK(candidate_of(*base::json::parse(R"({"candidate":null})"))->candidate.empty());
  CHECK_FALSE(candidate_of(*base::json::parse(R"({"candidate":{"candidate":5}})")));
  CHECK_FALSE(candidate_of(base::json()));
}
