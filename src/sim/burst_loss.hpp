// Loss that comes in bursts, as radio and full queues make it: the model of Gilbert (1960) and Elliott (1963). A line is good
// or bad; before each packet it may change, and then loses the packet with the probability of its state. Rules only.
#pragma once

#include "sim/generator.hpp"

namespace strata::sim {

// Probabilities. The line is bad for good_to_bad / (good_to_bad + bad_to_good) of the packets, 1 / bad_to_good at a time.
struct burst_loss {
  double good_to_bad = 0;
  double bad_to_good = 1;
  double loss_when_good = 0;
  double loss_when_bad = 1;
};

class burst_state {
 public:
  // Two draws whatever the outcome, so that one probability does not move the others' dice.
  [[nodiscard]] bool loses_next(const burst_loss& b, generator& g) noexcept {
    if (g.chance(bad_ ? b.bad_to_good : b.good_to_bad)) bad_ = !bad_;
    return g.chance(bad_ ? b.loss_when_bad : b.loss_when_good);
  }

 private:
  bool bad_ = false;
};

}  // namespace strata::sim
