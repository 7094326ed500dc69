// Everything ends: allocations, permissions, channels (RFC 8656 §8, §9, §12), on a clock that the test moves.
#include "lab.hpp"
#include "stun/channel_data.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using stun::message_writer;
using stun::method;

const auto peer = at("198.51.100.77:7000"), other_port = at("198.51.100.77:7001"), stranger = at("198.51.100.78:7000");
const auto six = at("[2001:db8::77]:7000");

const filler both = [](message_writer& w) {
  udp(w);
  w.add(stun::additional_address_family{base::ip_family::v6});
};
filler of(base::ip_family f, std::uint32_t seconds) {
  return [=](message_writer& w) { w.add(stun::requested_address_family{f}).add(stun::lifetime{seconds}); };
}

struct session : lab {
  explicit session(const filler& wish = udp, const server::rules_config& c = open_rules()) : lab(c), who(log_in()) {
    relayed = allocate(who, wish);
  }
  int ask_signed(method m, const filler& fill = {}) { return ask(request(m, fill, who)); }
  bool reaches(const base::endpoint& to) { return say(send_indication(to, "x")).what == server::outcome::kind::to_peer; }
  bool hears(const base::endpoint& from) {
    out.clear();
    return e.from_peer(id(), from, base::as_bytes("y"), t.now, out) != nullptr;
  }
  bool reaches(std::uint16_t number) {
    base::bytes message;
    stun::write_channel_data(message, number, base::as_bytes("z"));
    return say(message).what == server::outcome::kind::to_peer;
  }
  login who;
  base::endpoint relayed;
};

}  // namespace

// req: 8656-6-e 8656-8.2-b
TEST_CASE("an allocation ends when it is not refreshed, whatever goes through it") {
  session s;
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  CHECK(s.e.next_expiry() == s.t.now + 600s);
  s.t.now += 599s;
  s.e.expire(s.t.now);
  CHECK(s.e.allocations() == 1);
  (void)s.reaches(peer);
  s.t.now += 1s;
  s.e.expire(s.t.now);
  CHECK(s.e.allocations() == 0);
  CHECK(s.ports.empty());
  CHECK(s.e.counted().expired == 1);
  CHECK(s.e.next_expiry() == base::never);
  CHECK(s.ask_signed(method::refresh) == 437);
}

// req: 8656-8.2-b
TEST_CASE("a refresh sets the time anew, to no less than the default; zero ends it") {
  session s;
  s.t.now += 500s;
  CHECK(s.ask_signed(method::refresh, asks(1)) == 0);
  CHECK(s.answer().get<stun::lifetime>()->value == 600);
  CHECK(s.e.next_expiry() == s.t.now + 600s);
  CHECK(s.ask_signed(method::refresh, asks(100'000)) == 0);
  CHECK(s.answer().get<stun::lifetime>()->value == 3600);
  CHECK(s.ask_signed(method::refresh, asks(0)) == 0);
  CHECK(s.answer().get<stun::lifetime>()->value == 0);
  CHECK(s.e.allocations() == 0);
  CHECK(s.ports.empty());
  CHECK(s.ask_signed(method::refresh, asks(0)) == 437);
  CHECK(s.e.counted().released == 1);
  // The 5-tuple is free again.
  s.allocate(s.who);
}

// req: 8656-8.2-a
TEST_CASE("a refresh of a family that is not there is a mismatch") {
  session s;
  CHECK(s.ask_signed(method::refresh, of(base::ip_family::v6, 600)) == 443);
  CHECK(s.ask_signed(method::refresh, of(base::ip_family::v4, 600)) == 0);
  CHECK(s.ask_signed(method::refresh, [](message_writer& w) {
    w.add(stun::attribute_type::requested_address_family, base::bytes{7, 0, 0, 0});
  }) == 443);
  CHECK(s.ask_signed(method::refresh, [](message_writer& w) { w.add(stun::attribute_type::lifetime, base::bytes{7}); }) == 400);
}

// req: 8656-8.1-b
TEST_CASE("one family of two is let go, and the other keeps everything") {
  session s(both);
  CHECK(s.ask_signed(method::channel_bind, channel(0x4000, peer)) == 0);
  CHECK(s.ask_signed(method::channel_bind, channel(0x4001, six)) == 0);
  CHECK(s.ask_signed(method::refresh, of(base::ip_family::v6, 0)) == 0);
  CHECK(s.ports.size() == 1);
  CHECK(s.reaches(peer));
  CHECK(s.reaches(0x4000));
  CHECK_FALSE(s.reaches(six));
  CHECK_FALSE(s.reaches(0x4001));
  CHECK_FALSE(s.hears(six));
  CHECK(s.ask_signed(method::refresh, of(base::ip_family::v6, 600)) == 443);
  CHECK(s.ask_signed(method::create_permission, towards({six})) == 443);
  CHECK(s.ask_signed(method::refresh, asks(0)) == 0);
  CHECK(s.e.allocations() == 0);
}

TEST_CASE("the families of one allocation end each at its own time") {
  session s(both);
  s.t.now += 300s;
  CHECK(s.ask_signed(method::refresh, of(base::ip_family::v4, 600)) == 0);
  s.t.now += 300s;
  s.e.expire(s.t.now);
  CHECK(s.ports.size() == 1);
  CHECK(s.ports.begin()->first.second == base::ip_family::v4);
  CHECK(s.e.allocations() == 1);
  s.t.now += 300s;
  s.e.expire(s.t.now);
  CHECK(s.e.allocations() == 0);
}

// req: 8656-9-c 8656-9-d 8656-11.2-d 8656-10.2-e
TEST_CASE("a permission is for an address with all its ports, and for five minutes") {
  session s;
  CHECK_FALSE(s.reaches(peer));
  CHECK_FALSE(s.hears(peer));
  CHECK(s.ask_signed(method::create_permission, towards({peer, at("198.51.100.90:0")})) == 0);
  CHECK(s.reaches(peer));
  CHECK(s.reaches(other_port));
  CHECK(s.hears(other_port));
  CHECK(s.reaches(at("198.51.100.90:5")));
  CHECK_FALSE(s.reaches(stranger));
  CHECK_FALSE(s.hears(stranger));
  for (int i = 0; i < 299; ++i) {
    s.t.now += 1s;
    CHECK(s.reaches(peer));
    CHECK(s.hears(peer));
  }
  s.t.now += 1s;
  CHECK_FALSE(s.reaches(peer));
  CHECK_FALSE(s.hears(peer));
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  s.t.now += 200s;
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  s.t.now += 299s;
  CHECK(s.reaches(peer));
}

// req: 8656-9-e
TEST_CASE("permissions belong to one allocation and end with it") {
  session s;
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  auto second = s.tuple;
  second.client.port = 4001;
  const auto bob = s.log_in("bob", second);
  CHECK(s.ask(request(method::allocate, udp, bob), second) == 0);
  CHECK(s.say(send_indication(peer, "x"), second).what == server::outcome::kind::dropped);
  CHECK(s.ask_signed(method::refresh, asks(0)) == 0);
  s.allocate(s.who);
  CHECK_FALSE(s.reaches(peer));
}

// req: 8656-12-h 8656-12.2-e 8656-12.6-e
TEST_CASE("a channel lasts ten minutes, its permission five, and data renews neither") {
  session s;
  CHECK(s.ask_signed(method::channel_bind, channel(0x4000, peer)) == 0);
  CHECK(s.reaches(peer));
  for (int i = 0; i < 299; ++i) {
    s.t.now += 1s;
    CHECK(s.reaches(0x4000));
  }
  s.t.now += 1s;
  CHECK_FALSE(s.reaches(0x4000));
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  CHECK(s.reaches(0x4000));
  s.t.now += 299s;
  CHECK(s.reaches(0x4000));
  CHECK(s.ask_signed(method::refresh) == 0);
  CHECK(s.ask_signed(method::create_permission, towards({peer})) == 0);
  s.t.now += 1s;
  CHECK_FALSE(s.reaches(0x4000));
  CHECK(s.reaches(peer));
  // What comes back now comes as an indication.
  CHECK(s.hears(peer));
  CHECK(s.answer().is(stun::message_class::indication, method::data));
  // Number and peer are free for others.
  CHECK(s.ask_signed(method::channel_bind, channel(0x4000, stranger)) == 0);
  CHECK(s.ask_signed(method::channel_bind, channel(0x4002, peer)) == 0);
  s.t.now += 599s;
  CHECK(s.ask_signed(method::refresh) == 0);
  CHECK(s.ask_signed(method::channel_bind, channel(0x4002, peer)) == 0);
  s.t.now += 299s;
  CHECK(s.reaches(0x4002));
}

// req: 8656-10.2-a 8656-10.2-b 8656-10.2-c
TEST_CASE("a CreatePermission is granted whole or not at all") {
  auto c = open_rules();
  c.limits.permissions = 3;
  c.peers = {.allowed = {*server::address_prefix::parse("198.51.100.0/24")}, .refused = {}};
  session s(udp, c);
  const auto broken = [](message_writer& w) {
    w.add(stun::xor_peer_address{peer});
    w.add(stun::attribute_type::xor_peer_address, base::bytes{0, 1, 2});
  };
  CHECK(s.ask_signed(method::create_permission) == 400);
  CHECK(s.ask_signed(method::create_permission, broken) == 400);
  CHECK(s.ask_signed(method::create_permission, towards({peer, six})) == 443);
  CHECK(s.ask_signed(method::create_permission, towards({peer, at("10.0.0.1:5")})) == 403);
  CHECK_FALSE(s.reaches(peer));
  CHECK(s.ask_signed(method::create_permission, towards({peer, other_port, stranger})) == 0);
  CHECK(s.ask_signed(method::create_permission, towards({at("198.51.100.1:5"), at("198.51.100.2:5")})) == 508);
  CHECK_FALSE(s.reaches(at("198.51.100.1:5")));
  CHECK(s.ask_signed(method::create_permission, towards({at("198.51.100.1:5")})) == 0);
  CHECK(s.ask_signed(method::create_permission, towards({at("198.51.100.2:5")})) == 508);
  s.t.now += 300s;
  CHECK(s.ask_signed(method::create_permission, towards({at("198.51.100.2:5")})) == 0);
}

// req: 8656-12.2-a 8656-12.2-b 8656-12.2-c 8656-12.2-d
TEST_CASE("a ChannelBind is refused for every reason there is") {
  auto c = open_rules();
  c.limits.channels = 2;
  c.peers = {.allowed = {*server::address_prefix::parse("198.51.100.0/24")}, .refused = {}};
  session s(udp, c);
  const auto bind = [&](const filler& f) { return s.ask_signed(method::channel_bind, f); };
  CHECK(bind(towards({peer})) == 400);
  CHECK(bind([](message_writer& w) { w.add(stun::channel_number{0x4000}); }) == 400);
  for (const std::uint16_t number : {0, 1, 0x3fff, 0x5000, 0x7fff, 0xffff}) CHECK(bind(channel(number, peer)) == 400);
  CHECK(bind(channel(0x4000, six)) == 443);
  CHECK(bind(channel(0x4000, at("10.1.1.1:5"))) == 403);
  CHECK(bind(channel(0x4000, at("198.51.100.9:3478"))) == 403);
  CHECK(bind(channel(0x4000, at("198.51.100.5:0"))) == 403);
  CHECK(bind(channel(0x4000, peer)) == 0);
  CHECK(bind(channel(0x4000, peer)) == 0);
  CHECK(bind(channel(0x4000, other_port)) == 400);
  CHECK(bind(channel(0x4001, peer)) == 400);
  CHECK(bind(channel(0x4fff, other_port)) == 0);
  CHECK(bind(channel(0x4002, stranger)) == 508);
  // 5766 allowed these; 8656 does not.
  CHECK(bind(channel(0x5001, stranger)) == 400);
}
