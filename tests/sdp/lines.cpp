#include <doctest/doctest.h>

#include <algorithm>

#include "fixtures.hpp"
#include "sdp/session_description.hpp"

using namespace strata;

namespace {

const std::string head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n";
const std::string section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

bool parses(const std::string& text) { return sdp::parse(text).has_value(); }

std::string lf_only(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != '\r') out += c;
  return out;
}

}  // namespace

// req: 8866-5-d
TEST_CASE("lines may end with LF alone, and the last with nothing") {
  const auto crlf = sdp::parse(fixtures::chromium);
  const auto lf = sdp::parse(lf_only(fixtures::chromium));
  REQUIRE(crlf);
  REQUIRE(lf);
  CHECK(*crlf == *lf);
  CHECK(*sdp::parse(fixtures::chromium.substr(0, fixtures::chromium.size() - 2)) == *crlf);
  CHECK(*sdp::parse(fixtures::chromium + "\r\n\r\n") == *crlf);
}

// req: 8866-5-e
TEST_CASE("what is written ends its lines with CRLF and reads back the same") {
  for (const auto* text : {&fixtures::chromium, &fixtures::chromium_snap, &fixtures::firefox, &fixtures::firefox_answer,
                           &fixtures::libdatachannel, &fixtures::aiortc, &fixtures::pion, &fixtures::with_media}) {
    const auto d = sdp::parse(*text);
    REQUIRE(d);
    const auto written = sdp::format(*d);
    CHECK(written == *text);
    CHECK(lf_only(written).size() + static_cast<std::size_t>(std::count(written.begin(), written.end(), '\n')) ==
          written.size());
  }
}

// req: 8829-5.8.1-b 8866-5.5-a 8866-5.8-a 8866-5.12-b 8866-5.12-a 8829-5.2.1-e 8829-5.2.1-f
TEST_CASE("lines that mean nothing to data sessions are checked and left out") {
  const auto text =
      head +
      "i=about \xc3\xa9\r\nu=http://a.example/\r\ne=a@b.example\r\ne=c@d.example\r\np=+1 617 555-6011\r\nc=IN IP4 192.0.2.1\r\n"
      "b=AS:128\r\nb=X-YZ:128\r\nt=2873397496 2873404696\r\nr=604800 3600 0 90000\r\nr=7d 1h 0 25h\r\nz=2882844526 -1h "
      "2898848070 0\r\n"
      "t=0 0\r\nk=clear:xyz\r\na=recvonly\r\n" +
      section + "i=section\r\nb=TIAS:5\r\nk=prompt\r\na=x\r\n";
  const auto d = sdp::parse(text);
  REQUIRE(d);
  CHECK(d->times.size() == 2);  // req: 8866-5.9-b
  const auto written = sdp::format(*d);
  for (const auto* gone : {"\r\ni=", "\r\nu=", "\r\ne=", "\r\np=", "\r\nb=", "\r\nr=", "\r\nz=", "\r\nk="})
    CHECK(written.find(gone) == std::string::npos);
}

// req: 8866-5.2-d 8866-5.2-c
TEST_CASE("origins of every kind") {
  const auto origin = [](const std::string& o) { return sdp::parse("v=0\r\no=" + o + "\r\ns=-\r\nt=0 0\r\n"); };
  CHECK(origin("- 0 0 IN IP4 0.0.0.0"));
  CHECK(origin("alice 2890844526 2890844526 IN IP6 2001:db8::1"));
  CHECK(origin("- 1 1 IN IP4 host.example"));
  CHECK(origin("- 99999999999999999999999999 1 IN IP4 0.0.0.0")->origin.session_id == "99999999999999999999999999");
}

// req: 8866-5.7-a 8866-5.7-b 8866-5.7-e
TEST_CASE("connections at either level") {
  CHECK(parses(head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\n" + section));
  CHECK(parses(head + "t=0 0\r\n" + section + "c=IN IP4 192.0.2.1\r\n"));
  const auto both = sdp::parse(head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\n" + section + "c=IN IP6 2001:db8::1\r\n");
  REQUIRE(both);
  CHECK(both->media[0].connections[0].address == "2001:db8::1");
  CHECK_FALSE(parses(head + "t=0 0\r\n" + section));
  CHECK_FALSE(parses(head + "t=0 0\r\n" + section + "c=IN IP4 1.2.3.4\r\n" + section));
  for (const auto* good : {"IN IP4 224.2.1.1/127", "IN IP4 224.2.1.1/0/3", "IN IP6 ff15::101", "IN IP6 ff15::101/3",
                           "IN IP4 host.example", "IN IP6 2001:db8::1", "ATM NSAP 47.0091"})
    CHECK(parses(head + "c=" + good + "\r\nt=0 0\r\n"));
}

TEST_CASE("attributes keep their order, their empty values and their colons") {
  const auto d = sdp::parse(head + "t=0 0\r\na=flag\r\na=empty:\r\na=value:x:y z\r\na=flag\r\n");
  REQUIRE(d);
  CHECK(d->attributes.size() == 4);
  CHECK(d->attributes.count("flag") == 2);
  CHECK_FALSE(d->attributes.find("flag")->has_value);
  CHECK(d->attributes.find("empty")->has_value);
  CHECK(d->attributes.find("value")->value == "x:y z");
  CHECK(d->attributes.find("Flag") == nullptr);
}

// req: 8866-5.3-b 8866-5.3-c
TEST_CASE("a description without a name is written with one, and no value can become a line") {
  sdp::session_description d;
  d.session_name.clear();
  d.attributes.add("x", "a\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 1.2.3.4");
  const auto text = sdp::format(d);
  CHECK(text.find("\r\ns=-\r\n") != std::string::npos);
  const auto again = sdp::parse(text);
  REQUIRE(again);
  CHECK(again->media.empty());
}

TEST_CASE("media lines with a count of ports, many formats, and long protocols") {
  const auto d =
      sdp::parse(head + "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 49170/2 RTP/AVP 31 32 33\r\nm=x-y 65535 a/b/c/d *\r\n");
  REQUIRE(d);
  CHECK(d->media[0].port_count == 2);
  CHECK(d->media[0].formats.size() == 3);
  CHECK(d->media[1].protocol == "a/b/c/d");
}
