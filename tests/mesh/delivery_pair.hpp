// An outbox and an inbox with their stores, and nothing between them but the test.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "delivery_store.hpp"
#include "mesh/inbox.hpp"
#include "mesh/outbox.hpp"

namespace delivery {

using namespace strata;
using namespace std::chrono_literals;

inline mesh::message_id id_of(std::uint8_t n) {
  mesh::message_id id;
  id.octets[0] = n;
  return id;
}

inline mesh::submission message(std::uint8_t n, std::size_t octets, bool durable = true) {
  mesh::submission m;
  m.id = id_of(n);
  m.durable = durable;
  m.octets.assign(octets, n);
  return m;
}

// Alice's outbox for Bob and Bob's inbox for Alice.
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
    for (const auto& octets : bob.acks(1200)) {
      const auto read = mesh::decode(octets);
      REQUIRE(read);
      alice.on_ack(std::get<mesh::ack_frame>(*read), now);
    }
    return alice.take_outcomes();
  }
};

}  // namespace delivery
