// Somebody on the network who replays what others sent, cuts it short, changes it, and asks everybody questions.
#pragma once

#include <deque>
#include <vector>

#include "async/async.hpp"
#include "sim/generator.hpp"
#include "sim/host.hpp"
#include "sim/packet.hpp"

namespace strata::simulation {

class enemy {
 public:
  enemy(sim::host& h, std::uint64_t seed) : host_(h), chance_(seed, "enemy") {}

  void saw(const sim::packet_event& e);  // it sees all that is sent
  async::task<> run();                   // until cancelled

 private:
  [[nodiscard]] base::bytes make_up();

  sim::host& host_;
  sim::generator chance_;
  std::vector<base::endpoint> targets_;
  std::deque<base::bytes> captured_;
};

}  // namespace strata::simulation
