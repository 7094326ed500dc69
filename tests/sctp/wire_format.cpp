#include "base/byte_reader.hpp"
#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {

struct init_fields {
  std::uint32_t window = 0;
  std::uint16_t out = 0, in = 0;
  std::vector<std::uint16_t> parameters;
  base::bytes extensions;
};

init_fields read_init(base::byte_view value) {
  init_fields f;
  base::byte_reader r(value);
  r.skip(4);
  f.window = *r.u32();
  f.out = *r.u16();
  f.in = *r.u16();
  r.skip(4);
  while (r.remaining() >= 4) {
    const auto type = *r.u16();
    const auto length = *r.u16();
    const auto body = *r.take(length - 4u);
    r.skip((4 - length % 4) % 4);
    f.parameters.push_back(type);
    if (type == 0x8008) f.extensions = base::to_bytes(body);
  }
  return f;
}

bool has(const init_fields& f, std::uint16_t parameter) {
  return std::find(f.parameters.begin(), f.parameters.end(), parameter) != f.parameters.end();
}

}  // namespace

// req: 8831-5-a
// req: 8831-6.1-d
TEST_CASE("INIT offers partial reliability and stream reset, and nothing that DTLS makes needless") {
  wire w;
  w.keep = true;
  w.connect();
  auto chunks = sctp::chunks_of(w.sent[a].at(0));
  const auto c = sctp::take_chunk(chunks);
  REQUIRE(c);
  CHECK(c->type == sctp::chunk_type::init);
  const auto init = read_init(c->value);
  CHECK(init.out == 1024);
  CHECK(init.in == 1024);
  CHECK(init.window == 1u << 20);
  CHECK(has(init, 0xc000));                                                                        // Forward-TSN-Supported
  CHECK(has(init, 0x8008));                                                                        // Supported Extensions
  CHECK(std::find(init.extensions.begin(), init.extensions.end(), 130) != init.extensions.end());  // RE-CONFIG
  CHECK(std::find(init.extensions.begin(), init.extensions.end(), 193) == init.extensions.end());  // ASCONF
  CHECK_FALSE(has(init, 0x8000));                                                                  // ECN
  CHECK_FALSE(has(init, 0x8002));                                                                  // random of AUTH
  CHECK(w.sent[a].at(0).size() <= 48);
}

TEST_CASE("no packet carries an address of this process") {
  wire w;
  w.keep = true;
  w.connect();
  CHECK(w.at(a).try_send(on_stream(0, pattern(10))).has_value());
  w.settle(1s);
  // Pointers of this process share their upper octets; no run of them may stand in any packet.
  const auto pointer = reinterpret_cast<std::uintptr_t>(w.ends[a].get());
  base::bytes upper;
  for (int shift = 24; shift < 48; shift += 8) upper.push_back(static_cast<std::uint8_t>(pointer >> shift));
  for (const auto& packets : w.sent)
    for (const auto& p : packets) CHECK(std::search(p.begin(), p.end(), upper.begin(), upper.end()) == p.end());
}

TEST_CASE("every packet we send carries the CRC32c of RFC 9260") {
  wire w;
  w.keep = true;
  w.connect();
  CHECK(w.at(a).try_send(on_stream(0, pattern(10'000))).has_value());
  w.settle(1s);
  for (const auto& packets : w.sent)
    for (const auto& p : packets) CHECK(sctp::checksum_is_right(p));
}

TEST_CASE("the checksum of a known packet") {
  // COOKIE ACK from port 5000 to port 5000 with tag 1, computed by hand with the polynomial of RFC 9260 appendix A.
  base::bytes packet = {0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0, 11, 0, 0, 4};
  const auto sum = base::crc32c_portable(packet);
  sctp::write_checksum(packet);
  CHECK(packet[8] == (sum & 0xff));
  CHECK(packet[11] == sum >> 24);
  CHECK(sctp::checksum_is_right(packet));
  CHECK_FALSE(sctp::checksum_is_right(base::byte_view(packet).first(11)));
}

TEST_CASE("chunks are taken one by one and lengths that cannot be end the walk") {
  const base::bytes two = {10, 0, 0, 6, 1, 2, 0, 0, 11, 0, 0, 4};
  base::byte_view rest(two);
  auto c = sctp::take_chunk(rest);
  REQUIRE(c);
  CHECK(c->type == sctp::chunk_type::cookie_echo);
  CHECK(c->value.size() == 2);
  c = sctp::take_chunk(rest);
  REQUIRE(c);
  CHECK(c->type == sctp::chunk_type::cookie_ack);
  CHECK_FALSE(sctp::take_chunk(rest));
  for (const base::bytes& bad :
       {base::bytes{1, 0, 0}, base::bytes{1, 0, 0, 3}, base::bytes{1, 0, 0, 5}, base::bytes{1, 0, 255, 255, 0}}) {
    base::byte_view b(bad);
    CHECK_FALSE(sctp::take_chunk(b));
  }
  const base::bytes unpadded = {10, 0, 0, 5, 9};
  base::byte_view u(unpadded);
  CHECK(sctp::take_chunk(u));
  CHECK(u.empty());
}
