// The annotated hex of `meshctl decode`.
#include "stun/explain.hpp"

#include <doctest/doctest.h>

#include "stun/attributes.hpp"
#include "stun/channel_data.hpp"
#include "stun/message_writer.hpp"
#include "stun/registry.hpp"
#include "vector_file.hpp"

using namespace strata;
using namespace strata::stun;

namespace {

bool covers_everything(const explanation& e, std::size_t size) {
  std::size_t at = 0;
  for (const auto& f : e.fields) {
    if (f.offset != at) return false;
    at += f.size;
  }
  return at == size;
}

}  // namespace

TEST_CASE("a response is taken apart byte by byte, each with its section") {
  const auto data = test::vector("rfc5769-2.2-response-ipv4");
  const auto key = short_term_key("VOkJxbRl1RmTxUk/WvJxBt");
  const auto e = explain(data, &key);
  CHECK_FALSE(e.error);
  CHECK(covers_everything(e, data.size()));
  CHECK(to_text(e, data) ==
        "Binding success response (80 bytes)\n"
        "0000  01 01                    Binding success response  [RFC 8489 §18.2]\n"
        "0002  00 3c                    length 60  [RFC 8489 §5]\n"
        "0004  21 12 a4 42              magic cookie  [RFC 8489 §5]\n"
        "0008  b7 e7 a7 01 bc 34 d6 86  transaction id b7e7a701bc34d686fa87dfae  [RFC 8489 §5]\n"
        "0010  fa 87 df ae\n"
        "0014  80 22 00 0b              SOFTWARE, 11 bytes  [RFC 8489 §14.14]\n"
        "0018  74 65 73 74 20 76 65 63    \"test vector\"\n"
        "0020  74 6f 72\n"
        "0023  20                         padding  [RFC 8489 §14]\n"
        "0024  00 20 00 08              XOR-MAPPED-ADDRESS, 8 bytes  [RFC 8489 §14.2]\n"
        "0028  00 01 a1 47 e1 12 a6 43    192.0.2.1:32853\n"
        "0030  00 08 00 14              MESSAGE-INTEGRITY, 20 bytes  [RFC 8489 §14.5]\n"
        "0034  2b 91 f5 99 fd 9e 90 c3    2b91f599fd9e90c38c7489f92af9ba53f06be7d7 (right)\n"
        "003c  8c 74 89 f9 2a f9 ba 53\n"
        "0044  f0 6b e7 d7\n"
        "0048  80 28 00 04              FINGERPRINT, 4 bytes  [RFC 8489 §14.7]\n"
        "004c  c0 7d 4c 96                c07d4c96 (right)\n"
        "valid\n");
}

TEST_CASE("what is wrong with a message is said at its place") {
  const auto broken = test::vector("rfc8489-b.1-as-published-INVALID");
  const auto e = explain(broken);
  REQUIRE(e.error);
  CHECK(*e.error == base::error(errc::length_mismatch, 2));
  CHECK(covers_everything(e, broken.size()));
  CHECK(to_text(e, broken).find("length 156, but 136 bytes follow the header") != std::string::npos);
  CHECK(to_text(e, broken).ends_with(
      "invalid: stun: message length does not match the data at byte 2, expected the number of bytes "
      "after the header\n"));

  auto spoiled = test::vector("rfc5769-2.2-response-ipv4");
  spoiled[0x29] ^= 6;
  const auto f = explain(spoiled);
  CHECK(*f.error == base::error(errc::bad_fingerprint, 0x4c));
  CHECK(to_text(f, spoiled).find("invalid: stun: unknown address family at byte 41") != std::string::npos);
  const auto wrong = short_term_key("guess");
  CHECK(*explain(test::vector("rfc5769-2.2-response-ipv4"), &wrong).error == base::error(errc::bad_integrity, 0x30));
}

TEST_CASE("attributes that integrity does not cover are marked") {
  base::bytes out;
  message_writer w(out, {}, {});
  w.integrity(short_term_key("p"));
  const std::uint8_t late[] = {0, 0x25, 0, 0};
  base::append(out, late);
  out[3] += 4;
  CHECK(to_text(explain(out), out).find("USE-CANDIDATE (ignored: not covered by the integrity before it)") !=
        std::string::npos);
}

TEST_CASE("every attribute with a name is described, and unknown ones are shown") {
  base::bytes out;
  message_writer w(out, {message_class::request, method::allocate}, {});
  const auto e = *base::endpoint::parse("[2001:db8::1]:5");
  w.add(mapped_address{e})
      .add(xor_peer_address{e})
      .add(alternate_server{e})
      .add(change_request{true, false})
      .add(lifetime{600});
  w.add(channel_number{0x4001}).add(requested_transport{}).add(even_port{true}).add(dont_fragment{}).add(reservation_token{});
  w.add(requested_address_family{base::ip_family::v6})
      .add(address_error_code{base::ip_family::v6, 440, {}})
      .add(icmp{3, 4, 1500});
  w.add(error_code{420, "Sorry\n"}).add(unknown_attribute_list{{attribute_type{0x7fff}, attribute_type::nonce}});
  w.add(password_algorithms{base::as_bytes({"\0\2\0\0\0\1\0\0\x12\x34\0\0", 12})}).add(use_candidate{}).add(ice_controlled{1});
  w.add(attribute_type::goog_network_info, base::as_bytes({"\0\1\0\12", 4}))
      .add(attribute_type{0x7fff}, {})
      .add(attribute_type{0xffff}, {});
  const auto text = to_text(explain(out), out);
  for (const auto* expected :
       {"Allocate request  [RFC 8656 §7]", "[2001:db8::1]:5", "change IP: yes, change port: no", "600 s", "0x4001", "UDP",
        "and reserve the next port", "IPv6: 440 Address Family not Supported", "type 3, code 4, data 0x000005dc",
        "420 Unknown Attribute, \"Sorry\\x0a\"", "0x7FFF, NONCE", "SHA-256, MD5, algorithm 4660", "0x0000000000000001",
        "GOOG-NETWORK-INFO", "0x7FFF (unknown, must be understood)", "0xFFFF (unknown, may be ignored)", "valid\n"}) {
    CAPTURE(expected);
    CHECK(text.find(expected) != std::string::npos);
  }
  CHECK(text.find("invalid") == std::string::npos);
}

TEST_CASE("ChannelData is explained too") {
  base::bytes out;
  REQUIRE(write_channel_data(out, 0x4002, base::as_bytes("hello"), true));
  const auto e = explain(out);
  CHECK_FALSE(e.error);
  CHECK(e.summary == "ChannelData on channel 0x4002, 5 bytes");
  CHECK(covers_everything(e, out.size()));
  out.resize(7);
  CHECK(*explain(out).error == base::error(errc::length_mismatch, 2));
}

TEST_CASE("any bytes are explained to their last one") {
  const auto message = test::vector("rfc8489-b.1-errata-request-sha256-userhash");
  for (std::size_t size = 0; size <= message.size(); ++size) {
    const auto part = base::byte_view(message).first(size);
    const auto e = explain(part);
    CHECK(covers_everything(e, size));
    CHECK(e.error.has_value() == (size != message.size()));
  }
}

// The numbers of the IANA registry, typed again from the RFCs.
TEST_CASE("names and numbers agree with the registries") {
  const std::pair<int, const char*> registered[] = {{0x0001, "MAPPED-ADDRESS"},
                                                    {0x0003, "CHANGE-REQUEST"},
                                                    {0x0006, "USERNAME"},
                                                    {0x0008, "MESSAGE-INTEGRITY"},
                                                    {0x0009, "ERROR-CODE"},
                                                    {0x000a, "UNKNOWN-ATTRIBUTES"},
                                                    {0x000c, "CHANNEL-NUMBER"},
                                                    {0x000d, "LIFETIME"},
                                                    {0x0012, "XOR-PEER-ADDRESS"},
                                                    {0x0013, "DATA"},
                                                    {0x0014, "REALM"},
                                                    {0x0015, "NONCE"},
                                                    {0x0016, "XOR-RELAYED-ADDRESS"},
                                                    {0x0017, "REQUESTED-ADDRESS-FAMILY"},
                                                    {0x0018, "EVEN-PORT"},
                                                    {0x0019, "REQUESTED-TRANSPORT"},
                                                    {0x001a, "DONT-FRAGMENT"},
                                                    {0x001c, "MESSAGE-INTEGRITY-SHA256"},
                                                    {0x001d, "PASSWORD-ALGORITHM"},
                                                    {0x001e, "USERHASH"},
                                                    {0x0020, "XOR-MAPPED-ADDRESS"},
                                                    {0x0022, "RESERVATION-TOKEN"},
                                                    {0x0024, "PRIORITY"},
                                                    {0x0025, "USE-CANDIDATE"},
                                                    {0x0026, "PADDING"},
                                                    {0x0027, "RESPONSE-PORT"},
                                                    {0x002a, "CONNECTION-ID"},
                                                    {0x8000, "ADDITIONAL-ADDRESS-FAMILY"},
                                                    {0x8001, "ADDRESS-ERROR-CODE"},
                                                    {0x8002, "PASSWORD-ALGORITHMS"},
                                                    {0x8003, "ALTERNATE-DOMAIN"},
                                                    {0x8004, "ICMP"},
                                                    {0x8022, "SOFTWARE"},
                                                    {0x8023, "ALTERNATE-SERVER"},
                                                    {0x8028, "FINGERPRINT"},
                                                    {0x8029, "ICE-CONTROLLED"},
                                                    {0x802a, "ICE-CONTROLLING"},
                                                    {0x802b, "RESPONSE-ORIGIN"},
                                                    {0x802c, "OTHER-ADDRESS"},
                                                    {0x8030, "MOBILITY-TICKET"},
                                                    {0xc001, "NOMINATION"},
                                                    {0xc057, "GOOG-NETWORK-INFO"}};
  CHECK(std::size(registered) == attributes().size());
  for (const auto& [number, name] : registered) CHECK(name_of(attribute_type(number)) == name);
  CHECK(name_of(attribute_type{0x7abc}) == "0x7ABC");
  const std::pair<int, const char*> methods_by_number[] = {{1, "Binding"},
                                                           {3, "Allocate"},
                                                           {4, "Refresh"},
                                                           {6, "Send"},
                                                           {7, "Data"},
                                                           {8, "CreatePermission"},
                                                           {9, "ChannelBind"},
                                                           {10, "Connect"},
                                                           {11, "ConnectionBind"},
                                                           {12, "ConnectionAttempt"}};
  CHECK(std::size(methods_by_number) == methods().size());
  for (const auto& [number, name] : methods_by_number) CHECK(name_of(static_cast<method>(number)) == name);
  for (const auto& e : error_codes()) {
    CHECK(e.code >= 300);
    CHECK(e.code <= 699);
    CHECK(response_error(e.code).message().ends_with(e.reason));
  }
}
