#include <doctest/doctest.h>

#include "delivery_pair.hpp"

using namespace delivery;

TEST_CASE("a durable message is stored, sent, handed over, acknowledged and forgotten on both sides") {
  pair p;
  REQUIRE(p.alice.accept(message(1, 100), p.now, p.wall));
  CHECK_FALSE(p.alice.next(p.now, {}));  // not before it is stored
  p.save_alice();
  CHECK(p.send() == 1);
  CHECK(p.bob.take(p.now).empty());  // not before it is marked
  p.bob_turn();
  CHECK(p.got == std::vector<std::uint8_t>{1});
  CHECK(p.answer() == std::vector<mesh::outcome>{{id_of(1), mesh::fate::delivered, {}, false}});
  CHECK(p.alice.empty());
  CHECK_FALSE(p.alice.unanswered_since());
  CHECK(p.alice.next_wakeup() == base::never);
  p.save_alice();
  CHECK(p.bob.held() == 0);
  CHECK(p.room.used() == 0);
  // What stays are the epoch and the stream.
  CHECK(p.alice_store.records(mesh::outbox_table).size() == 2);
  CHECK(p.bob_store.records(mesh::inbox_table).size() == 2);
}

TEST_CASE("messages that are not durable cost one commit for very many") {
  pair p;
  for (std::uint8_t n = 0; n < 200; ++n) {
    REQUIRE(p.alice.accept(message(n, 10, false), p.now, p.wall));
    p.save_alice();
    p.send();
    p.bob_turn();
    p.answer();
  }
  CHECK(p.got.size() == 200);
  CHECK(p.commits == 2);  // one on each side, for the epoch and the reserved sequences
  CHECK(p.alice.empty());
}

TEST_CASE("a small message overtakes a large one of another stream, but nothing of its own") {
  pair p;
  REQUIRE(p.alice.accept(message(1, 1u << 20), p.now, p.wall));
  REQUIRE(p.alice.accept(message(2, 10), p.now, p.wall));
  auto other = message(3, 10);
  other.stream = 1;
  REQUIRE(p.alice.accept(other, p.now, p.wall));
  p.save_alice();
  const auto first = p.alice.next(p.now, {});
  REQUIRE(first);
  const auto read = mesh::decode(first->octets);
  REQUIRE(read);
  CHECK(std::get<mesh::data_frame>(*read).stream == 1);
  CHECK(p.bob.on_data(std::get<mesh::data_frame>(*read), p.now) == mesh::taken::kept);
  p.send();
  p.bob_turn();
  CHECK(p.got == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(p.answer().size() == 3);
}

TEST_CASE("a refusal reaches the sender with its reason, and the receiver forgets it once the sender knows") {
  pair p;
  REQUIRE(p.alice.accept(message(1, 5), p.now, p.wall));
  p.save_alice();
  p.send();
  p.bob_turn(mesh::fate::refused, "not today");
  CHECK(p.answer() == std::vector<mesh::outcome>{{id_of(1), mesh::fate::refused, "not today", false}});
  CHECK_FALSE(p.alice.next(p.now, {}));  // the floor may not pass what the store still holds
  p.save_alice();
  CHECK(p.send() == 1);
  p.bob_turn();
  mesh::hello_frame hello = p.alice.hello(1, 1);
  p.bob.on_hello(hello);
  const auto acks = p.bob.acks(1200);
  REQUIRE(acks.size() == 1);
  const auto read = mesh::decode(acks.front());
  REQUIRE(read);
  const auto& a = std::get<mesh::ack_frame>(*read);
  REQUIRE(a.streams.size() == 1);
  CHECK(a.streams[0].others.empty());
  CHECK(a.streams[0].settled == 1);
}
