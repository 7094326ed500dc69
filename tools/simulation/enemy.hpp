// Somebody on the network who asks everybody questions, and sends what others sent, cut short or changed (forger) or as it
// was (replayer).
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
  enum class way : std::uint8_t { forges, replays };
  enemy(sim::host& h, way w, std::uint64_t seed) : host_(h), way_(w), chance_(seed, "enemy " + h.name()) {}

  void saw(const sim::packet_event& e);  // it sees all that is sent
  async::task<> run();                   // until cancelled

 private:
  [[nodiscard]] base::bytes make_up();

  sim::host& host_;
  way way_;
  sim::generator chance_;
  std::vector<base::endpoint> targets_;
  std::deque<base::bytes> captured_;
};

base::ip_address address_of(enemy::way w);

}  // namespace strata::simulation
