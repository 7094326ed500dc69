#include <doctest/doctest.h>

#include "delivery_store.hpp"
#include "mesh/inbox.hpp"
#include "mesh/outbox.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

mesh::message_id id_of(std::uint8_t n) {
  mesh::message_id id;
  id.octets[0] = n;
  return id;
}

mesh::submission message(std::uint8_t n, std::size_t octets, bool durable = true) {
  mesh::submission m;
  m.id = id_of(n);
  m.durable = durable;
  m.octets.assign(octets, n);
  return m;
}

// Alice's outbox for Bob and Bob's inbox for Alice, with nothing between them but this test.
struct pair {
  delivery::memory_store alice_store, bob_store;
  mesh::budget room{64u << 20};
  mesh::outbox alice{"bob", 7};
  mesh::inbox bob{"alice", 9, room};
  base::instant now{1s};
  base::wall_time wall{};
  std::vector<std::uint8_t> got;  // the first octet of every message that Bob's program had
  std::size_t commits = 0;

  void save_alice() {
    const auto keep = alice.unsaved();
    commits += keep.empty() ? 0 : 1;
    alice_store.commit(keep);
    alice.saved();
  }
  void bob_turn(mesh::fate what = mesh::fate::delivered, std::string_view why = {}) {
    for (bool moving = true; moving;) {
      const auto keep = bob.unsaved(now);
      commits += keep.empty() ? 0 : 1;
      bob_store.commit(keep);
      bob.saved();
      moving = !keep.empty();
      for (const auto& d : bob.take(now)) {
        got.push_back(d.octets.empty() ? std::uint8_t{0} : d.octets.front());
        CHECK(bob.finish(d, what, why));
        moving = true;
      }
    }
  }
  std::size_t send(const mesh::path_terms& p = {}) {
    std::size_t frames = 0;
    while (const auto f = alice.next(now, p)) {
      ++frames;
      const auto read = mesh::decode(f->octets);
      REQUIRE(read);
      if (const auto* d = std::get_if<mesh::data_frame>(&*read)) CHECK(bob.on_data(*d, now) == mesh::taken::kept);
      if (const auto* c = std::get_if<mesh::cancel_frame>(&*read)) bob.on_cancel(*c);
    }
    return frames;
  }
  std::vector<mesh::outcome> answer() {
    std::vector<mesh::outcome> out;
    for (const auto& octets : bob.acks(1200)) {
      const auto read = mesh::decode(octets);
      REQUIRE(read);
      for (auto& o : alice.on_ack(std::get<mesh::ack_frame>(*read), now)) out.push_back(std::move(o));
    }
    return out;
  }
};

}  // namespace

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
