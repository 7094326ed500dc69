// A packet on its way: a timer that goes off where it arrives.
#pragma once

#include "async/loop.hpp"
#include "sim/network.hpp"

namespace strata::sim {

struct network::flight final : async::timer {
  flight(network& n, host& f, host& t, packet p) : owner(n), from(f), to(t), content(std::move(p)) {}
  ~flight() { owner.loop_.disarm(*this); }
  void expired() override { owner.arrive(*this); }

  network& owner;
  host& from;
  host& to;
  packet content;
  int attempt = 0;
  std::list<flight>::iterator self;
};

}  // namespace strata::sim
