#include "channels.hpp"

using namespace strata;
using namespace strata::test;
using datachannel::errc;

// req: 8831-6.6-c
// req: 8831-6.6-d
TEST_CASE("text, binary and empty messages of every size come back as what they were") {
  channels t;
  t.w.keep = true;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    for (const std::size_t size : {0u, 1u, 2u, 1199u, 1200u, 16384u, 65536u, 262144u})
      for (const bool is_text : {true, false}) {
        const auto data = pattern(size);
        co_await send_ok(mine, {data, is_text});
        auto got = co_await theirs->receive();
        CHECK(got->data == data);
        CHECK(got->text == is_text);
        co_await send_ok(theirs, std::move(*got));
        got = co_await mine->receive();
        CHECK(got->data == data);
        CHECK(got->text == is_text);
      }
  });
  const auto sent = data_chunks(t.w.sent[a]);
  CHECK(sent.at(1).protocol == 56);
  CHECK(sent.at(1).data == base::bytes{0});
  CHECK(sent.at(2).protocol == 57);
  CHECK(sent.at(2).data == base::bytes{0});
  CHECK(sent.at(3).protocol == 51);
  CHECK(sent.at(4).protocol == 53);
}

// req: 8831-6.6-e
// req: 8831-6.6-g
TEST_CASE("what other stacks send: empty messages with contents, deprecated parts") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    const auto raw = [&](std::uint32_t protocol, std::string_view data) {
      CHECK(t.w.at(a).try_send(on_stream(0, base::as_bytes(data), protocol)).has_value());
    };
    raw(56, "ten octets");
    auto m = co_await theirs->receive();
    CHECK(m->data.empty());
    CHECK(m->text);
    raw(57, "ten octets");
    m = co_await theirs->receive();
    CHECK(m->data.empty());
    CHECK_FALSE(m->text);
    raw(54, "one ");
    raw(54, "two ");
    raw(51, "three");
    m = co_await theirs->receive();
    CHECK(base::as_text(m->data) == "one two three");
    CHECK(m->text);
    raw(52, "four ");
    raw(53, "five");
    m = co_await theirs->receive();
    CHECK(base::as_text(m->data) == "four five");
    CHECK_FALSE(m->text);
  });
}

TEST_CASE("a message that the peer does not accept is refused here and the channel goes on") {
  channels t({}, {.max_message_size = 1000});
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    CHECK((co_await mine->send(binary(pattern(1001)))).error() == errc::too_large);
    co_await send_ok(mine, binary(pattern(1000)));
    CHECK((co_await theirs->receive())->data.size() == 1000);
  });
}

// req: 8831-7-a
TEST_CASE("a peer that ignores our size limit loses the channel, and only that") {
  for (const bool in_parts : {false, true}) {
    channels t({}, {.max_message_size = 100'000});
    t.run([&t, in_parts]() -> async::task<> {
      auto [mine, theirs] = co_await t.open();
      auto [other_mine, other_theirs] = co_await t.open();
      for (int i = 0; i < (in_parts ? 3 : 1); ++i)
        CHECK((co_await t.w.at(a).send(on_stream(0, pattern(in_parts ? 40'000 : 10u << 20), in_parts ? 52 : 53))).has_value());
      CHECK_FALSE((co_await theirs->receive()).has_value());
      CHECK(theirs->error() == errc::too_large);
      CHECK(t.at(b).drops().too_large == 1);
      co_await mine->closed();
      co_await send_ok(other_mine, text("still here"));
      CHECK((co_await other_theirs->receive()).has_value());
    });
  }
}

// req: 8831-6.6-a
TEST_CASE("the reliability of a channel is that of its messages") {
  struct kind {
    datachannel::channel_options o;
    bool all;
  };
  for (const auto& k :
       {kind{{.label = "r"}, true}, kind{{.label = "u", .ordered = false}, true},
        kind{{.label = "x", .ordered = false, .max_retransmits = 0}, false}, kind{{.label = "t", .max_lifetime = 20}, false}}) {
    CAPTURE(k.o.label);
    channels t({.latency = 20ms});
    std::size_t got = 0;
    t.run([&]() -> async::task<> {
      auto [mine, theirs] = co_await t.open(k.o);
      t.w.path.loss = 0.3;
      for (int i = 0; i < 200; ++i) {
        co_await send_ok(mine, text(std::to_string(i)));
        co_await async::sleep_for(5ms);
      }
      t.w.path.loss = 0;
      mine->close();
      got = (co_await receive_all(theirs)).size();
      co_await mine->closed();
    });
    if (k.all) CHECK(got == 200);
    else CHECK((got > 50 && got < 195));
  }
}

TEST_CASE("messages sent from several fibers keep the order of their sends") {
  channels t;
  t.run([&t]() -> async::task<> {
    auto [mine, theirs] = co_await t.open();
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (std::uint8_t i = 0; i < 40; ++i)
        s.spawn("sender", [&mine](std::uint8_t n) { return send_ok(mine, binary(base::bytes(60'000, n))); }, i);
      for (std::uint8_t i = 0; i < 40; ++i) CHECK((co_await theirs->receive())->data == base::bytes(60'000, i));
    });
  });
}
