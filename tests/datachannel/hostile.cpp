#include "base/hex.hpp"
#include "channels.hpp"
#include "datachannel/dcep.hpp"

using namespace strata;
using namespace strata::test;
using datachannel::channel_state;
using datachannel::errc;

namespace {

void raw(channels& t, std::uint16_t stream, base::byte_view data, std::uint32_t protocol) {
  CHECK(t.w.at(a).try_send(on_stream(stream, data, protocol)).has_value());
}

base::bytes open_bytes(std::string label) {
  datachannel::open_message m;
  m.label = std::move(label);
  return format(m);
}

// The peer at a is a bare association; b is ours and has one healthy channel to prove that it still works.
template <class Body>
void against(Body body) {
  channels t;
  t.run([&]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    co_await body(t);
    co_await async::sleep_for(1s);
    co_await send_ok(mine, text("alive"));
    CHECK((co_await theirs->receive()).has_value());
    CHECK(t.at(b).channels() >= 1);
  });
}

std::size_t resets_from_b(const channels& t) {
  std::size_t n = 0;
  for (const auto& p : t.w.sent[b]) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks)) n += sctp::last_tsn_before_reset(*c).has_value();
  }
  return n;
}

std::size_t acknowledgements_from_b(const channels& t) {
  std::size_t n = 0;
  for (const auto& c : data_chunks(t.w.sent[b])) n += c.protocol == 50 && c.data == base::bytes{2};
  return n;
}

}  // namespace

// req: 8832-6-b
TEST_CASE("an OPEN that cannot be read gets a reset and no acknowledgement") {
  for (const char* hex : {"03", "0355", "037f01000000000000000000", "03000100000000000002000061", "0300010000000000ffff0000",
                          "55", "ff", "0201", "030001000000000000010000ff"}) {
    CAPTURE(hex);
    against([hex](channels& t) -> async::task<> {
      t.w.keep = true;
      raw(t, 8, *base::from_hex(hex), 50);
      co_await async::sleep_for(1s);
      CHECK(t.at(b).drops().malformed == 1);
      CHECK(resets_from_b(t) == 1);
      CHECK(acknowledgements_from_b(t) == 0);
      CHECK(t.at(b).channels() == 1);
    });
  }
}

TEST_CASE("an OPEN on a stream of our parity is refused") {
  against([](channels& t) -> async::task<> {
    raw(t, 9, open_bytes("odd"), 50);
    co_await async::sleep_for(1s);
    CHECK(t.at(b).drops().wrong_parity == 1);
    CHECK(t.at(b).channels() == 1);
  });
}

TEST_CASE("a second OPEN on a stream closes the channel there and no other") {
  against([](channels& t) -> async::task<> {
    auto [mine, theirs] = co_await t.open({.label = "twice"});
    raw(t, *mine->id(), open_bytes("again"), 50);
    co_await async::all_of(mine->closed(), theirs->closed());
    CHECK(theirs->error() == errc::id_in_use);
    CHECK(t.at(b).drops().duplicate_open == 1);
  });
}

TEST_CASE("acknowledgements that answer nothing are counted and change nothing") {
  against([](channels& t) -> async::task<> {
    const base::bytes ack{2};
    raw(t, 0, ack, 50);   // of a channel that we accepted
    raw(t, 20, ack, 50);  // of a stream without a channel
    raw(t, 21, ack, 50);
    co_await async::sleep_for(1s);
    CHECK(t.at(b).drops().stray_ack == 3);
    CHECK(t.at(b).drops().malformed == 0);
  });
}

// req: 8832-6-f
TEST_CASE("user data on a stream without a channel gets a reset, once for all of it") {
  against([](channels& t) -> async::task<> {
    t.w.keep = true;
    for (int i = 0; i < 20; ++i) raw(t, 30, pattern(100), 53);
    co_await async::sleep_for(1s);
    CHECK(t.at(b).drops().without_channel == 20);
    CHECK(resets_from_b(t) >= 1);
    CHECK(resets_from_b(t) <= 3);
  });
}

// req: 8831-6.6-f
TEST_CASE("an unknown payload protocol closes the channel") {
  for (const std::uint32_t protocol : {0u, 49u, 55u, 58u, 99u, 0x80000033u, 0xffffffffu}) {
    against([protocol](channels& t) -> async::task<> {
      auto [mine, theirs] = co_await t.open({.label = "odd"});
      raw(t, *mine->id(), pattern(10), protocol);
      co_await async::all_of(mine->closed(), theirs->closed());
      CHECK(t.at(b).drops().unknown_ppid == 1);
      CHECK_FALSE((co_await theirs->receive()).has_value());
    });
  }
}

TEST_CASE("a malformed DCEP message on an open channel closes that channel") {
  against([](channels& t) -> async::task<> {
    auto [mine, theirs] = co_await t.open({.label = "odd"});
    raw(t, *mine->id(), *base::from_hex("7700"), 50);
    co_await async::all_of(mine->closed(), theirs->closed());
    CHECK(theirs->error() == errc::unknown_message_type);
  });
}

TEST_CASE("a peer that resets the stream instead of answering has refused the channel") {
  channels t;
  t.ends[b].reset();
  t.w.at(b).on_message = [&t](sctp::message_in m) {
    const auto s = m.stream;
    t.w.at(b).reset_streams({&s, 1});
  };
  t.w.run([](channels& t) -> async::task<> {
    co_await async::all_of(t.w.at(a).connect(), t.w.at(b).connect());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("a", [&t] { return t.at(a).run(); });
      auto c = t.at(a).create({.label = "no"});
      const auto opened = co_await c->opened();
      REQUIRE_FALSE(opened.has_value());
      CHECK(opened.error() == errc::refused);
      co_await c->closed();
    });
  }(t));
}

TEST_CASE("channels that nobody accepts are refused beyond a bound, and room comes back") {
  channels t({}, {.most_waiting = 4});
  t.run([&t]() -> async::task<> {
    std::vector<channel_pointer> made;
    for (int i = 0; i < 6; ++i) made.push_back(t.at(a).create({.label = std::to_string(i)}));
    co_await async::sleep_for(1s);
    CHECK(t.at(b).drops().refused == 2);
    CHECK(made[3]->state() == channel_state::open);
    CHECK(made[4]->state() == channel_state::closed);
    CHECK(made[5]->error() == errc::refused);
    for (int i = 0; i < 4; ++i) CHECK((co_await t.at(b).accept())->label() == std::to_string(i));
    auto [mine, theirs] = co_await t.open({.label = "later"});
    CHECK(theirs->label() == "later");
  });
}

TEST_CASE("a flood of random messages on random streams ends nothing but the channels it hits") {
  against([](channels& t) -> async::task<> {
    std::mt19937_64 chance(3);
    for (int i = 0; i < 3000; ++i) {
      base::bytes noise(1 + chance() % 40);
      for (auto& octet : noise) octet = static_cast<std::uint8_t>(chance() % 5 == 0 ? 3 : chance() % 256);
      const std::uint32_t protocols[] = {50, 50, 50, 51, 52, 53, 54, 56, 57, 99};
      const auto m = on_stream(static_cast<std::uint16_t>(2 + chance() % 200), noise, protocols[chance() % 10]);
      if (!t.w.at(a).try_send(m).has_value()) co_await async::sleep_for(20ms);
      if (i % 100 == 0) co_await async::sleep_for(20ms);
    }
    co_await async::sleep_for(60s);
    MESSAGE("malformed " << t.at(b).drops().malformed << ", without channel " << t.at(b).drops().without_channel);
  });
}
