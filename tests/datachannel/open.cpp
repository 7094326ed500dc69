#include "channels.hpp"
#include "datachannel/dcep.hpp"

using namespace strata;
using namespace strata::test;
using datachannel::channel_state;
using datachannel::errc;

// req: 8831-6.4-a
// req: 8832-5-a
// req: 8832-6-a
TEST_CASE("a channel opens with its label, protocol and kind, and carries both ways") {
  channels t;
  t.w.keep = true;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open(
        {.label = "chat", .protocol = "p", .ordered = false, .max_retransmits = 3, .priority = datachannel::priority::high});
    CHECK(theirs->label() == "chat");
    CHECK(theirs->protocol() == "p");
    CHECK_FALSE(theirs->options().ordered);
    CHECK(theirs->options().max_retransmits == 3);
    CHECK(theirs->options().priority == datachannel::priority::high);
    CHECK(mine->id() == 0);
    CHECK(theirs->id() == 0);
    co_await send_ok(mine, text("ping"));
    CHECK((co_await theirs->receive())->data == base::to_bytes("ping"));
    co_await send_ok(theirs, text("pong"));
    CHECK((co_await mine->receive())->data == base::to_bytes("pong"));
  });
  const auto sent = data_chunks(t.w.sent[a]);
  CHECK(sent.at(0).protocol == 50);
  CHECK(sent.at(0).ordered);
  CHECK(sent.at(0).stream == 0);
  const auto answered = data_chunks(t.w.sent[b]);
  CHECK(answered.at(0).protocol == 50);
  CHECK(answered.at(0).data == base::bytes{2});
}

TEST_CASE("channels made before the association open when it stands, in the order of their making") {
  channels t;
  auto first = t.at(a).create({.label = "first"});
  auto second = t.at(a).create({.label = "second"});
  auto third = t.at(b).create({.label = "third"});
  t.run([&]() -> async::task<> {
    CHECK((co_await first->opened()).has_value());
    CHECK((co_await second->opened()).has_value());
    CHECK((co_await third->opened()).has_value());
    CHECK((co_await t.at(b).accept())->label() == "first");
    CHECK((co_await t.at(b).accept())->label() == "second");
    CHECK((co_await t.at(a).accept())->label() == "third");
    CHECK(first->id() == 0);
    CHECK(second->id() == 2);
    CHECK(third->id() == 1);
  });
}

TEST_CASE("an endpoint without an association numbers its channels when the DTLS role is known") {
  wire w;
  datachannel::endpoint_config c;
  datachannel::endpoint early(w.host, c, {});
  auto first = early.create({.label = "x"}), fixed = early.create({.id = 5, .negotiated = true}), second = early.create({});
  CHECK_FALSE(first->id());
  CHECK(fixed->id() == 5);
  CHECK(first->buffered_amount() == 0);
  early.attach(w.at(a), false, 65536);
  CHECK(first->id() == 1);
  CHECK(second->id() == 3);
  auto third = early.create({}), fourth = early.create({});
  CHECK(third->id() == 7);  // 5 is taken
  CHECK(fourth->id() == 9);
  early.close();
  CHECK(first->state() == channel_state::closed);
  CHECK(fixed->state() == channel_state::closed);
}

// req: 8832-6-c
// req: 8832-6-d
// req: 8832-6-e
TEST_CASE("data may follow the OPEN at once, and goes ordered until the peer has shown that it has the OPEN") {
  channels t({.latency = 50ms});
  t.w.keep = true;
  t.run([&t]() -> async::task<> {
    auto mine = t.at(a).create({.label = "u", .ordered = false});
    co_await send_ok(mine, text("early"));
    CHECK(mine->state() == channel_state::connecting);
    auto theirs = co_await t.at(b).accept();
    CHECK((co_await theirs->receive())->data == base::to_bytes("early"));
    CHECK((co_await mine->opened()).has_value());
    co_await send_ok(mine, text("late"));
    CHECK((co_await theirs->receive())->data == base::to_bytes("late"));
  });
  const auto sent = data_chunks(t.w.sent[a]);
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].ordered);
  CHECK(sent[1].ordered);
  CHECK_FALSE(sent[2].ordered);
}

// req: 8832-5-b
TEST_CASE("OPEN and ACK arrive over a path that loses a quarter of the packets, for every kind of channel") {
  channels t({.latency = 20ms, .loss = 0.25});
  t.run([&t]() -> async::task<> {
    std::vector<channel_pointer> made;
    for (int i = 0; i < 6; ++i) {
      datachannel::channel_options o;
      o.label = std::to_string(i);
      o.ordered = i % 2 == 0;
      if (i / 2 == 1) o.max_retransmits = 0;
      if (i / 2 == 2) o.max_lifetime = 0;
      made.push_back(t.at(i % 3 == 0 ? b : a).create(o));
    }
    for (const auto& c : made) CHECK((co_await c->opened()).has_value());
  });
}

// req: 8831-6.5-b
TEST_CASE("negotiated channels say nothing and carry both ways") {
  channels t;
  t.w.keep = true;
  t.run([&t]() -> async::task<> {
    auto mine = t.at(a).create({.label = "n", .ordered = false, .id = 77, .negotiated = true});
    auto theirs = t.at(b).create({.label = "n", .ordered = false, .id = 77, .negotiated = true});
    CHECK((co_await mine->opened()).has_value());
    CHECK((co_await theirs->opened()).has_value());
    co_await send_ok(mine, text("a"));
    CHECK((co_await theirs->receive())->data == base::to_bytes("a"));
    co_await send_ok(theirs, text("b"));
    CHECK((co_await mine->receive())->data == base::to_bytes("b"));
  });
  for (const auto s : {a, b})
    for (const auto& c : data_chunks(t.w.sent[s])) CHECK(c.protocol != 50);
}

// req: 8831-6.5-a
TEST_CASE("options that cannot be are refused at once and say why") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto used = t.at(a).create({.id = 4, .negotiated = true});
    CHECK((co_await used->opened()).has_value());
    const auto refused = [&t](datachannel::channel_options o, errc why) -> async::task<> {
      auto c = t.at(a).create(std::move(o));
      CHECK(c->state() == channel_state::closed);
      CHECK(c->error() == why);
      CHECK((co_await c->opened()).error() == why);
      CHECK((co_await c->send(text("x"))).error() == errc::closed);
      CHECK_FALSE((co_await c->receive()).has_value());
      co_await c->closed();
      c->close();
    };
    co_await refused({.id = 4, .negotiated = true}, errc::id_in_use);
    co_await refused({.max_retransmits = 1, .max_lifetime = 1}, errc::invalid_options);
    co_await refused({.negotiated = true}, errc::invalid_options);
    co_await refused({.id = 6}, errc::invalid_options);
    co_await refused({.id = 65535, .negotiated = true}, errc::invalid_options);
    co_await refused({.label = std::string(65536, 'x')}, errc::invalid_options);
    co_await refused({.protocol = std::string(65536, 'x')}, errc::invalid_options);
    co_await refused({.id = 5000, .negotiated = true}, errc::no_such_stream);
    CHECK(t.at(a).channels() == 1);
  });
  CHECK(t.at(a).create({})->error() == errc::closed);
}

// req: 8832-6-g
TEST_CASE("streams run out with an error, not with silence") {
  sctp::association_config few;
  few.streams = 6;
  channels t({}, {}, few);
  t.run([&t]() -> async::task<> {
    std::vector<channel_pointer> made;
    for (int i = 0; i < 4; ++i) made.push_back(t.at(a).create({}));
    for (int i = 0; i < 3; ++i) CHECK((co_await made[static_cast<std::size_t>(i)]->opened()).has_value());
    CHECK(made[3]->error() == errc::no_free_id);
  });
}

TEST_CASE("a hundred channels from each side open side by side") {
  channels t;
  t.run([&t]() -> async::task<> {
    std::vector<channel_pointer> made;
    for (int i = 0; i < 100; ++i)
      for (const auto s : {a, b}) made.push_back(t.at(s).create({.label = std::to_string(i)}));
    for (std::size_t i = 0; i < made.size(); ++i) {
      CHECK((co_await made[i]->opened()).has_value());
      CHECK(*made[i]->id() % 2 == i % 2);
    }
    for (int i = 0; i < 100; ++i)
      for (const auto s : {a, b}) CHECK((co_await t.at(s).accept())->label() == std::to_string(i));
  });
}
