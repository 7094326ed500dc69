// Stream reconfiguration (RFC 6525) as it stands on the wire.
#include "base/byte_reader.hpp"
#include "base/hex.hpp"
#include "pair.hpp"
#include "sctp/early_reset.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using what = sctp::association::reset;

std::vector<base::bytes> reconfigs(const std::vector<base::bytes>& packets) {
  std::vector<base::bytes> out;
  for (const auto& p : packets) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks))
      if (c->type == sctp::chunk_type::reconfig) out.push_back(base::to_bytes(c->value));
  }
  return out;
}

bool is_request(const base::bytes& value) { return value.size() > 2 && value[1] == 13; }
bool is_response(const base::bytes& value) { return value.size() > 2 && value[1] == 16; }

base::bytes packet_with(base::byte_view header_of, base::byte_view chunk) {
  auto packet = base::to_bytes(header_of.first(sctp::common_header_size));
  base::append(packet, chunk);
  sctp::write_checksum(packet);
  return packet;
}

}  // namespace

// req: 6525-3.1-a
TEST_CASE("the request that a reset is made of is found in its chunk, and nothing else is taken for one") {
  const auto tsn = [](const char* hex) {
    const auto octets = *base::from_hex(hex);
    base::byte_view view(octets);
    const auto c = sctp::take_chunk(view);
    return c ? sctp::last_tsn_before_reset(*c) : std::nullopt;
  };
  CHECK(tsn("82000016 000d0012 00000001 00000002 0a0b0c0d 0004 0000") == 0x0a0b0c0d);
  CHECK(tsn("82000014 000d0010 00000001 00000002 0a0b0c0d") == 0x0a0b0c0d);                     // all streams
  CHECK(tsn("82000020 0010000c 00000001 00000001 000d0010 00000001 00000002 00000007") == 7u);  // behind a response
  CHECK_FALSE(tsn("82000010 0010000c 00000001 00000001"));                                      // a response
  CHECK_FALSE(tsn("82000010 000e000a 00000001 00010000"));                                      // an incoming request
  CHECK_FALSE(tsn("82000010 000d000c 00000001 00000002"));                                      // cut short
  CHECK_FALSE(tsn("82000008 000d0003"));
  CHECK_FALSE(tsn("82000008 000dffff"));
  CHECK_FALSE(tsn("82000004"));
  CHECK_FALSE(tsn("00000014 000d0010 00000001 00000002 0a0b0c0d"));  // DATA
}

// req: 6525-5.1.2-a
TEST_CASE("a request names the last TSN that was sent") {
  wire w;
  w.keep = true;
  w.connect();
  inbox at_a(w.at(a));
  w.run([](wire& w, inbox& at_a) -> async::task<> {
    for (int i = 0; i < 7; ++i) CHECK((co_await w.at(a).send(on_stream(4, pattern(2000)))).has_value());
    const sctp::stream_id four(4);
    w.at(a).reset_streams({&four, 1});
    co_await at_a.reset(what::outgoing, 4);
  }(w, at_a));
  std::optional<std::uint32_t> last, named;
  for (const auto& p : w.sent[a]) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks)) {
      if (const auto t = sctp::tsn_of(*c)) last = t;
      if (const auto t = sctp::last_tsn_before_reset(*c)) named = t;
    }
  }
  REQUIRE(named);
  CHECK(*named == *last);
}

// req: 6525-5.1.1-b
// req: 6525-5.2.1-a
TEST_CASE("a request is repeated as it was, and its duplicate is answered with the same result and without effect") {
  wire w;
  w.keep = true;
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  int lost = 0;
  w.pass = [&lost](side from, std::size_t, base::byte_view packet) {
    return !(from == a && !reconfigs({base::to_bytes(packet)}).empty() && lost++ < 2);
  };
  base::bytes request;
  w.run([](wire& w, inbox& at_a, inbox& at_b, base::bytes& request) -> async::task<> {
    CHECK((co_await w.at(a).send(on_stream(4, pattern(10)))).has_value());
    const sctp::stream_id four(4);
    w.at(a).reset_streams({&four, 1});
    co_await at_a.reset(what::outgoing, 4);
    for (const auto& p : w.sent[a])
      if (!reconfigs({p}).empty()) request = p;
    w.inject(b, request);
    w.inject(b, request, 10ms);
    co_await async::sleep_for(1s);
  }(w, at_a, at_b, request));
  const auto asked = reconfigs(w.sent[a]);
  CHECK(asked.size() == 3);
  for (const auto& r : asked) {
    CHECK(is_request(r));
    CHECK(r == asked[0]);
  }
  const auto answered = reconfigs(w.sent[b]);
  CHECK(answered.size() == 3);
  for (const auto& r : answered) {
    CHECK(is_response(r));
    CHECK(r == answered[0]);
  }
  CHECK(at_b.resets.size() == 1);
}

// req: 6525-5.2.2-a
TEST_CASE("a reset that overtakes data is done when the data has come") {
  wire w;
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  bool lose_data = false;
  w.pass = [&lose_data](side from, std::size_t, base::byte_view packet) {
    auto chunks = sctp::chunks_of(packet);
    const auto c = sctp::take_chunk(chunks);
    return !(from == a && lose_data && c && c->type == sctp::chunk_type::data);
  };
  w.run([](wire& w, inbox& at_a, inbox& at_b, bool& lose_data) -> async::task<> {
    CHECK((co_await w.at(a).send(on_stream(4, pattern(10)))).has_value());
    co_await w.at(a).drained(sctp::stream_id(4));
    lose_data = true;
    CHECK((co_await w.at(a).send(on_stream(6, pattern(10)))).has_value());
    const sctp::stream_id four(4);
    w.at(a).reset_streams({&four, 1});  // everything before it on its own stream has arrived, something else has not
    co_await async::sleep_for(4s);
    CHECK(at_b.resets.empty());
    lose_data = false;
    co_await at_b.reset(what::incoming, 4);
    CHECK(at_b.messages.size() == 2);
    co_await at_a.reset(what::outgoing, 4);
  }(w, at_a, at_b, lose_data));
}

TEST_CASE("a request that is too early is taken out of its packet and the rest goes on") {
  const auto header = *base::from_hex("1388138800000001 00000000");
  const auto early = *base::from_hex("82000016 000d0012 00000001 00000002 00000009 00040000");
  const auto sack = *base::from_hex("03000010 00000005 00001000 00000000");
  sctp::early_reset r;
  auto both = packet_with(header, early);
  base::append(both, sack);
  CHECK_FALSE(r.concerns(both));  // before our first SACK nothing is known
  r.acknowledged(8);
  CHECK(r.concerns(both));
  const auto rest = r.hold_back(both);
  CHECK(base::to_bytes(base::byte_view(rest).subspan(12)) == sack);
  CHECK_FALSE(r.take());
  r.acknowledged(9);
  CHECK_FALSE(r.concerns(both));
  const auto held = r.take();
  REQUIRE(held);
  CHECK(base::to_bytes(base::byte_view(*held).subspan(12)) == early);
  CHECK_FALSE(r.take());
  r.acknowledged(0xfffffff0);  // across the end of the numbers
  CHECK(r.concerns(packet_with(header, early)));
  CHECK(r.hold_back(packet_with(header, early)).size() == sctp::common_header_size);
}

// req: 6525-5.2.7-a
TEST_CASE("a reset that the peer denies is told once and not asked for again") {
  wire w;
  w.keep = true;
  w.connect();
  inbox at_a(w.at(a));
  w.pass = [&w](side from, std::size_t, base::byte_view packet) {
    // b answers with "performed" (1); on the way it becomes "denied" (2).
    if (from != b || reconfigs({base::to_bytes(packet)}).empty()) return true;
    auto changed = base::to_bytes(packet);
    changed[12 + 4 + 11] = 2;
    sctp::write_checksum(changed);
    w.inject(a, changed, 10ms);
    return false;
  };
  w.run([](wire& w, inbox& at_a) -> async::task<> {
    CHECK((co_await w.at(a).send(on_stream(4, pattern(10)))).has_value());
    const sctp::stream_id four(4);
    w.at(a).reset_streams({&four, 1});
    co_await at_a.reset(what::outgoing_failed, 4);
    co_await async::sleep_for(10s);
  }(w, at_a));
  CHECK(at_a.resets.size() == 1);
  CHECK(reconfigs(w.sent[a]).size() == 1);
}
