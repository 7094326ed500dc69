// Data between client and peer: Send, Data and ChannelData (RFC 8656 §11, §12).
#include "lab.hpp"
#include "stun/channel_data.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using stun::method;

const auto peer = at("198.51.100.77:7000");

struct permitted : lab {
  explicit permitted(const server::rules_config& c = open_rules(),
                     server::client_transport transport = server::client_transport::udp)
      : lab(c) {
    tuple.transport = transport;
    who = log_in();
    allocate(who);
    CHECK(ask(request(method::create_permission, towards({peer, at("198.51.100.9:1")}), who)) == 0);
  }
  void bind() { CHECK(ask(request(method::channel_bind, channel(0x4abc, peer), who)) == 0); }
  bool hears(const base::endpoint& from, base::byte_view payload) {
    out.clear();
    const auto* to = e.from_peer(id(), from, payload, t.now, out);
    CHECK((to == nullptr) == out.empty());
    return to != nullptr;
  }
  login who;
};

base::bytes framed(std::uint16_t number, std::string_view payload) {
  base::bytes message;
  stun::write_channel_data(message, number, base::as_bytes(payload));
  return message;
}

base::bytes indication(const filler& fill) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::indication, method::send}, fresh_id());
  fill(w);
  return out;
}

constexpr auto forwarded = server::outcome::kind::to_peer;
constexpr auto dropped = server::outcome::kind::dropped;

}  // namespace

// req: 8656-11.2-a 8656-11.2-b 8656-11.2-c
TEST_CASE("a Send indication is whole or it is dropped; what it carries may be empty") {
  permitted l;
  const auto o = l.say(send_indication(peer, "five!"));
  CHECK(o.what == forwarded);
  CHECK(o.from == l.id());
  CHECK(o.peer == peer);
  CHECK(base::as_text(o.payload) == "five!");
  const auto empty = l.say(send_indication(peer, ""));
  CHECK(empty.what == forwarded);
  CHECK(empty.payload.empty());
  CHECK(l.say(indication(towards({peer}))).what == dropped);
  CHECK(l.say(indication([](stun::message_writer& w) { w.add(stun::data{base::as_bytes("x")}); })).what == dropped);
  CHECK(l.say(indication([](stun::message_writer& w) {
           w.add(stun::attribute_type::xor_peer_address, base::bytes{1});
           w.add(stun::data{base::as_bytes("x")});
         })).what == dropped);
  CHECK(l.say(send_indication(peer, "x", [](stun::message_writer& w) { w.add(stun::dont_fragment{}); })).what == dropped);
  CHECK(l.e.counted().dropped_malformed == 4);
  CHECK(l.e.counted().to_peers == 2);
  CHECK(l.e.counted().to_peers_bytes == 5);
}

// req: 8656-11.2-e
TEST_CASE("nothing is sent to the server's own door or to port 0") {
  permitted l;
  CHECK(l.say(send_indication(at("198.51.100.9:3478"), "x")).what == dropped);
  CHECK(l.say(send_indication(at("198.51.100.77:0"), "x")).what == dropped);
  CHECK(l.say(send_indication(at("198.51.100.9:50001"), "x")).what == forwarded);
  CHECK(l.e.counted().dropped_peer_refused == 2);
}

// req: 8656-11.3-a 8656-12.5-b
TEST_CASE("what a peer sends comes as a Data indication, or on the channel when there is one") {
  permitted l;
  REQUIRE(l.hears(peer, base::as_bytes("abcde")));
  auto m = l.answer();
  CHECK(m.is(stun::message_class::indication, method::data));
  CHECK(m.get<stun::xor_peer_address>()->endpoint == peer);
  CHECK(base::as_text(m.get<stun::data>()->bytes) == "abcde");
  CHECK_FALSE(m.integrity_offset());
  const auto first = m.transaction_id();
  REQUIRE(l.hears(peer, {}));
  CHECK(l.answer().get<stun::data>()->bytes.empty());
  CHECK(l.answer().transaction_id() != first);
  l.bind();
  REQUIRE(l.hears(peer, base::as_bytes("abcde")));
  CHECK(stun::channel_data::parse(l.out)->channel == 0x4abc);
  CHECK(l.out.size() == 9);
  // The same address, another port: no channel.
  REQUIRE(l.hears(at("198.51.100.77:7001"), base::as_bytes("abcde")));
  CHECK(l.answer().get<stun::xor_peer_address>()->endpoint.port == 7001);
}

// req: 8656-12.5-a
TEST_CASE("to a client on a stream ChannelData is padded") {
  permitted l(open_rules(), server::client_transport::tcp);
  l.bind();
  for (std::size_t n = 0; n < 10; ++n) {
    REQUIRE(l.hears(peer, base::bytes(n, 'x')));
    CHECK(l.out.size() == 4 + (n + 3) / 4 * 4);
    CHECK(stun::channel_data::parse(l.out)->data.size() == n);
  }
}

// req: 8656-12.6-d 8656-12.6-f
TEST_CASE("ChannelData goes to the peer of its channel, and nowhere without one") {
  permitted l;
  l.bind();
  const auto o = l.say(framed(0x4abc, "data"));
  CHECK(o.what == forwarded);
  CHECK(o.peer == peer);
  CHECK(base::as_text(o.payload) == "data");
  CHECK(l.say(framed(0x4abc, "")).what == forwarded);
  CHECK(l.say(framed(0x4abd, "data")).what == dropped);
  CHECK(l.e.counted().dropped_no_channel == 1);
  auto truncated = framed(0x4abc, "data");
  truncated.pop_back();
  CHECK(l.say(truncated).what == dropped);
  for (const std::uint8_t first : {0x50, 0x5f, 0x60, 0x7f, 0xff}) {
    auto reserved = framed(0x4abc, "data");
    reserved[0] = first;
    CHECK(l.say(reserved).what == dropped);
  }
}

TEST_CASE("a datagram larger than an indication can carry is dropped") {
  permitted l;
  CHECK(l.hears(peer, base::bytes(65'000, 'x')));
  CHECK_FALSE(l.hears(peer, base::bytes(65'530, 'x')));
  CHECK(l.e.counted().from_peers == 1);
}

// req: 8656-11.5-a 8656-11.5-b
TEST_CASE("what the network says of a peer comes as an indication, channel or not, for peers with permission only") {
  permitted l;
  l.bind();
  const stun::icmp report{.icmp_type = 3, .code = 3, .error_data = 0};
  l.out.clear();
  REQUIRE(l.e.from_network(l.id(), peer, report, l.t.now, l.out) != nullptr);
  CHECK(l.answer().is(stun::message_class::indication, method::data));
  CHECK(l.answer().get<stun::xor_peer_address>()->endpoint == peer);
  CHECK(*l.answer().get<stun::icmp>() == report);
  CHECK_FALSE(l.answer().has(stun::attribute_type::data));
  l.out.clear();
  CHECK(l.e.from_network(l.id(), at("198.51.100.78:7000"), report, l.t.now, l.out) == nullptr);
  l.t.now += 300s;
  CHECK(l.e.from_network(l.id(), peer, report, l.t.now, l.out) == nullptr);
  CHECK(l.out.empty());
}

// req: 8656-5-q
TEST_CASE("a user has so many bytes in a second, and no more") {
  auto c = open_rules();
  c.limits.bytes_per_second_of_one_user = 1000;
  permitted l(c);
  const std::string hundred(100, 'x');
  int sent = 0;
  for (int i = 0; i < 5; ++i) sent += l.say(send_indication(peer, hundred)).what == forwarded;
  CHECK(sent == 5);
  for (int i = 0; i < 10; ++i) sent += l.hears(peer, base::as_bytes(hundred));
  CHECK(sent == 10);
  CHECK(l.e.counted().dropped_over_quota == 5);
  l.t.now += 500ms;
  for (int i = 0; i < 10; ++i) sent += l.say(send_indication(peer, hundred)).what == forwarded;
  CHECK(sent == 15);
}
