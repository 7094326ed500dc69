// Who may ask: passwords, REST credentials, nonces, and those who prove nothing at all.
#include "lab.hpp"
#include "stun/channel_data.hpp"
#include "turn/server/rest_credentials.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using stun::method;

server::rules_config with_secrets(std::vector<std::string> secrets) {
  auto c = open_rules();
  c.users.clear();
  c.secrets = std::move(secrets);
  return c;
}

login rest(lab& l, const std::string& name, const std::string& secret) {
  return l.log_in(name, l.tuple, server::rest_password(secret, name));
}

}  // namespace

// req: turnrest-2.2-c
TEST_CASE("a REST password is the base64 of an HMAC-SHA1 over the username") {
  // printf %s 1433895918:larry | openssl dgst -sha1 -hmac north -binary | base64
  CHECK(server::rest_password("north", "1433895918:larry") == "+RMcjThTEK0AF8kjziYVZH+sy1o=");
}

// req: turnrest-2.2-b turnrest-4.2-a
TEST_CASE("a REST username is a time and, behind a colon, whatever its maker likes") {
  using name = server::rest_username;
  CHECK(name::parse("1700000000:ada")->expires == 1'700'000'000);
  CHECK(name::parse("1700000000:ada")->user == "ada");
  CHECK(name::parse("1:a:b")->user == "a:b");
  CHECK(name::parse("5")->user.empty());
  CHECK(name::parse("5:")->user.empty());
  for (const auto* wrong :
       {"", ":", ":ada", "ada", "-5:ada", "+5:ada", " 5:ada", "5 :ada", "5x:ada", "99999999999999999999:ada", "0x5:a"})
    CHECK_MESSAGE(!name::parse(wrong), wrong);
}

// req: turnrest-4.1-a turnrest-4.2-a turnrest-4.2-b turnrest-4.2-c
TEST_CASE("a REST credential works until its time and for nobody who changes it") {
  lab l(with_secrets({"north"}));
  const auto now = std::to_string(l.t.wall_seconds), later = std::to_string(l.t.wall_seconds + 1);
  CHECK(l.ask(request(method::allocate, udp, rest(l, now + ":ada", "north"))) == 401);
  CHECK(l.ask(request(method::allocate, udp, rest(l, later + ":ada", "south"))) == 401);
  CHECK(l.ask(request(method::allocate, udp, rest(l, "ada", "north"))) == 401);
  auto changed = rest(l, later + ":ada", "north");
  changed.username = std::to_string(l.t.wall_seconds + 100'000) + ":ada";
  CHECK(l.ask(request(method::allocate, udp, changed)) == 401);
  const auto who = rest(l, later + ":ada", "north");
  l.allocate(who);
  // Its owner keeps what he has, since he may not come back under another name, but gets no more.
  l.t.wall_seconds += 1000;
  CHECK(l.ask(request(method::refresh, {}, who)) == 0);
  auto elsewhere = l.tuple;
  elsewhere.client.port = 9;
  auto again = l.log_in(who.username, elsewhere, who.password);
  CHECK(l.ask(request(method::allocate, udp, again), elsewhere) == 401);
}

// req: turnrest-5.2-a
TEST_CASE("an old secret and a new one are good at the same time") {
  for (const auto* secret : {"new", "old"}) {
    lab l(with_secrets({"new", "old"}));
    l.allocate(rest(l, std::to_string(l.t.wall_seconds + 60) + ":ada", secret));
  }
  lab l(with_secrets({"new"}));
  CHECK(l.ask(request(method::allocate, udp, rest(l, std::to_string(l.t.wall_seconds + 60) + ":ada", "old"))) == 401);
}

TEST_CASE("a renewed REST credential counts for the same user") {
  auto c = with_secrets({"north"});
  c.limits.allocations_of_one_user = 1;
  lab l(c);
  l.allocate(rest(l, std::to_string(l.t.wall_seconds + 60) + ":ada", "north"));
  auto elsewhere = l.tuple;
  elsewhere.client.port = 9;
  const auto name = std::to_string(l.t.wall_seconds + 61) + ":ada";
  const auto renewed = l.log_in(name, elsewhere, server::rest_password("north", name));
  CHECK(l.ask(request(method::allocate, udp, renewed), elsewhere) == 486);
}

// req: 8656-5-i
TEST_CASE("an allocation obeys the username that made it and no other") {
  lab l;
  const auto alice = l.log_in("alice"), bob = l.log_in("bob");
  l.allocate(alice);
  CHECK(l.ask(request(method::refresh, asks(0), bob)) == 441);
  CHECK(l.ask(request(method::create_permission, towards({at("8.8.8.8:1")}), bob)) == 441);
  CHECK(l.ask(request(method::channel_bind, channel(0x4000, at("8.8.8.8:1")), bob)) == 441);
  CHECK(l.e.allocations() == 1);
  CHECK(l.ask(request(method::refresh, asks(0), alice)) == 0);
}

// req: 8656-5-j 8656-5-k
TEST_CASE("without an allocation requests are a mismatch, and the rest is not answered") {
  lab l;
  const auto who = l.log_in();
  CHECK(l.ask(request(method::refresh, {}, who)) == 437);
  CHECK(l.ask(request(method::create_permission, towards({at("8.8.8.8:1")}), who)) == 437);
  CHECK(l.ask(request(method::channel_bind, channel(0x4000, at("8.8.8.8:1")), who)) == 437);
  CHECK(l.ask(send_indication(at("8.8.8.8:1"), "x")) == -2);
  base::bytes data;
  stun::write_channel_data(data, 0x4000, base::as_bytes("x"));
  CHECK(l.ask(data) == -2);
  CHECK(l.e.counted().dropped_no_allocation == 2);
}

// req: 8656-5-l
TEST_CASE("a nonce is good for an hour, for one client, and differs from the last one") {
  lab l;
  const auto who = l.log_in();
  l.allocate(who);
  l.t.now += 3600s;
  CHECK(l.ask(request(method::refresh, {}, who)) == 0);
  l.t.now += 1s;
  CHECK(l.ask(request(method::refresh, {}, who)) == 438);
  auto fresh = who;
  fresh.nonce = l.answer().get<stun::nonce>()->text;
  CHECK(fresh.nonce != who.nonce);
  CHECK(l.ask(request(method::refresh, {}, fresh)) == 0);
  auto elsewhere = l.tuple;
  elsewhere.client.port = 9;
  CHECK(l.ask(request(method::allocate, udp, fresh), elsewhere) == 438);
}

TEST_CASE("a user of the list may come under the hash of his name") {
  lab l;
  const auto who = l.log_in();
  base::bytes message;
  stun::message_writer w(message, {stun::message_class::request, method::allocate}, fresh_id());
  udp(w);
  w.add(stun::hash_username("alice", "strata")).add(stun::realm{"strata"}).add(stun::nonce{who.nonce});
  w.integrity(stun::long_term_key("alice", "strata", "secret"));
  CHECK(l.ask(message) == 0);
  CHECK(l.ask(request(method::refresh, {}, who)) == 0);
}

TEST_CASE("a million requests of strangers leave nothing behind and cause little") {
  auto c = open_rules();
  lab l(c);
  const auto message = request(method::allocate, udp);
  std::uint64_t answered_bytes = 0;
  constexpr std::uint32_t strangers = 1'000'000;
  for (std::uint32_t i = 0; i < strangers; ++i) {
    auto tuple = l.tuple;
    // A thousand victims, whom all these pretend to be.
    tuple.client = {base::ip_address::v4(0x0b000000 + i % 1000), static_cast<std::uint16_t>(i / 1000 + 1)};
    if (l.say(message, tuple).what == server::outcome::kind::answered) answered_bytes += l.out.size();
  }
  CHECK(l.e.allocations() == 0);
  CHECK(l.ports.empty());
  CHECK(l.e.next_expiry() == base::never);
  CHECK(l.e.counted().requests == strangers);
  CHECK(l.e.counted().refused.size() == 1);
  CHECK(l.e.counted().refused.at(401) + l.e.counted().dropped_rate_limited == strangers);
  // No victim gets more than his burst.
  CHECK(l.e.counted().refused.at(401) <= 1000u * c.unauthenticated_burst);
  CHECK(answered_bytes * 10 <= std::uint64_t(strangers) * message.size() * 16);
}

TEST_CASE("what is no message of TURN is dropped and counted") {
  lab l;
  const auto who = l.log_in();
  l.allocate(who);
  CHECK(l.ask({}) == -2);
  CHECK(l.ask(base::to_bytes("GET / HTTP/1.1\r\n\r\n")) == -2);
  CHECK(l.e.counted().dropped_malformed == 2);
  base::bytes data;
  stun::message_writer d(data, {stun::message_class::indication, method::data}, fresh_id());
  d.add(stun::xor_peer_address{at("8.8.8.8:1")}).add(stun::data{base::as_bytes("x")});
  CHECK(l.ask(data) == -2);
  CHECK(l.ask(request(method::send, {}, who)) == -2);
  CHECK(l.ask(request(method::connect, {}, who)) == -2);
  CHECK(l.ask(request(method{0x777}, {}, who)) == -2);
  base::bytes success;
  stun::message_writer s(success, {stun::message_class::success, method::allocate}, fresh_id());
  CHECK(l.ask(success) == -2);
  CHECK(l.e.counted().dropped_not_expected == 5);
  auto marked = request(method::refresh, [](stun::message_writer& w) { w.fingerprint(); });
  marked.back() ^= 1;
  CHECK(l.ask(marked) == -2);
}

TEST_CASE("the answer to a Binding request is not larger than 1.6 times the request") {
  lab l;
  const auto asked = request(method::binding);
  CHECK(l.ask(asked) == 0);
  CHECK(l.out.size() * 10 <= asked.size() * 16);
}

TEST_CASE("Binding is answered to everybody, but not without end") {
  lab l;
  int answered = 0;
  for (int i = 0; i < 1000; ++i) answered += l.ask(request(method::binding)) == 0;
  CHECK(answered == 200);
  l.t.now += 1s;
  CHECK(l.ask(request(method::binding)) == 0);
  CHECK(l.answer().get<stun::xor_mapped_address>()->endpoint == l.tuple.client);
  CHECK(l.e.counted().bindings == 201);
}

TEST_CASE("an answer carries FINGERPRINT when the request did") {
  lab l;
  CHECK(l.ask(request(method::allocate, [](stun::message_writer& w) {
    udp(w);
    w.fingerprint();
  })) == 401);
  CHECK(l.answer().fingerprint_offset());
  CHECK(l.ask(request(method::allocate, udp)) == 401);
  CHECK_FALSE(l.answer().fingerprint_offset());
}
