#include "dtls/record.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"
#include "dtls/alert.hpp"

using namespace strata;

namespace {
base::bytes hex(std::string_view text) { return *base::from_hex(text); }
}  // namespace

TEST_CASE("A record header gives type, version, epoch, 48-bit sequence number and the fragment") {
  const base::bytes datagram = hex("17 fefd 0001 0123456789ab 0003 aabbcc 16 fefd 0000 000000000000 0000");
  base::byte_view rest = datagram;
  const auto first = dtls::take_record(rest);
  REQUIRE(first);
  CHECK(first->type == dtls::content_type::application_data);
  CHECK(first->version == 0xfefd);
  CHECK(first->epoch == 1);
  CHECK(first->sequence == 0x0123456789ab);
  CHECK(base::to_hex(first->fragment) == "aabbcc");
  CHECK(dtls::take_record(rest)->fragment.empty());
  CHECK(rest.empty());
  CHECK_FALSE(dtls::take_record(rest));
}

TEST_CASE("A record or fragment that is cut short anywhere is none") {
  const base::bytes record = dtls::write_handshake_record(0xfefd, 7, 1, 3, base::bytes(50, 9));
  for (std::size_t size = 0; size < record.size(); ++size) {
    base::byte_view rest(record.data(), size);
    CHECK_FALSE(dtls::take_record(rest));
    CHECK(rest.size() == size);
  }
  const base::byte_view content = base::byte_view(record).subspan(dtls::record_header_size);
  for (std::size_t size = 0; size < content.size(); ++size) {
    base::byte_view rest = content.first(size);
    CHECK_FALSE(dtls::take_fragment(rest));
  }
  base::byte_view whole = record;
  base::byte_view body = dtls::take_record(whole)->fragment;
  const auto fragment = dtls::take_fragment(body);
  REQUIRE(fragment);
  CHECK(fragment->whole());
  CHECK(fragment->message_sequence == 3);
  CHECK(fragment->body.size() == 50);
}

TEST_CASE("What is badly formed in the clear is named, and what is encrypted is not looked at") {
  struct row {
    const char* datagram;
    const char* flaw;
  };
  const row rows[] = {
      {"", "empty datagram"},
      {"16", "incomplete record"},
      {"16 fefd 0000 000000000000 0001", "incomplete record"},
      {"16 0303 0000 000000000000 0001 00", "not a DTLS version"},
      {"16 fefd 0000 000000000000 0000", "empty handshake record"},
      {"16 fefd 0000 000000000000 0003 010000", "malformed handshake fragment"},
      {"16 fefd 0000 000000000000 000c 01000004 0000 000003 000002", "malformed handshake fragment"},
      {"16 fefd 0000 000000000000 000d 01000001 0000 000001 000001 00", "malformed handshake fragment"},
      {"16 fefd 0000 000000000000 000d 0b00ffff 0000 000000 000001 00", "handshake message too long"},
      {"14 fefd 0000 000000000000 0001 02", "malformed ChangeCipherSpec"},
      {"14 fefd 0000 000000000000 0002 0101", "malformed ChangeCipherSpec"},
      {"15 fefd 0000 000000000000 0001 02", "malformed alert"},
      {"15 fefd 0000 000000000000 0002 0728", "malformed alert"},
      {"17 fefd 0000 000000000000 0001 00", "application data in the clear"},
      {"18 fefd 0000 000000000000 0001 00", "unknown content type"},
      {"3f fefd 0000 000000000000 0001 00", "unknown content type"},
      {"15 fefd 0000 000000000000 0002 0228 00", "incomplete record"},
      {"15 fefd 0000 000000000000 0002 0228", ""},
      {"14 feff 0000 000000000000 0001 01", ""},
      {"16 fefd 0001 000000000000 0001 00", ""},
      {"16 fefd 0000 000000000000 000d 0e000001 0000 000000 000001 00", ""},
  };
  for (const row& r : rows) {
    CAPTURE(r.datagram);
    CHECK(dtls::flaw_in_the_clear(hex(r.datagram)) == r.flaw);
  }
}

TEST_CASE("Alerts have the names of RFC 5246") {
  CHECK(dtls::alert_name(0) == "close_notify");
  CHECK(dtls::alert_name(42) == "bad_certificate");
  CHECK(dtls::alert_name(70) == "protocol_version");
  CHECK(dtls::alert_name(255) == "unknown alert");
}
