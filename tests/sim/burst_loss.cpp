// The two states of Gilbert and Elliott: how much is lost, and how much in a row.
#include "sim/burst_loss.hpp"

#include <doctest/doctest.h>

#include "sim/impairments.hpp"

using namespace strata;
using namespace strata::sim;
using namespace std::chrono_literals;

namespace {

struct measured {
  double loss = 0;  // of all packets
  double run = 0;   // mean number of packets lost in a row
};

measured measure(const burst_loss& b, int draws) {
  generator g(7, "burst loss");
  burst_state line;
  int lost = 0, runs = 0;
  bool before = false;
  for (int n = 0; n < draws; ++n) {
    const bool now = line.loses_next(b, g);
    lost += now;
    runs += now && !before;
    before = now;
  }
  return {static_cast<double>(lost) / draws, runs == 0 ? 0 : static_cast<double>(lost) / runs};
}

// The same from the stationary distribution of the chain.
measured expected(const burst_loss& b) {
  const double bad = b.good_to_bad / (b.good_to_bad + b.bad_to_good), good = 1 - bad;
  const double from_good = (1 - b.good_to_bad) * b.loss_when_good + b.good_to_bad * b.loss_when_bad;
  const double from_bad = b.bad_to_good * b.loss_when_good + (1 - b.bad_to_good) * b.loss_when_bad;
  const double loss = good * b.loss_when_good + bad * b.loss_when_bad;
  const double two_in_a_row = good * b.loss_when_good * from_good + bad * b.loss_when_bad * from_bad;
  return {loss, loss / (loss - two_in_a_row)};
}

}  // namespace

TEST_CASE("mean loss and mean burst are what the probabilities make of them") {
  for (const auto& row : {
           burst_loss{.good_to_bad = 0.01, .bad_to_good = 0.25},  // bursts of four, 3.8 percent
           burst_loss{.good_to_bad = 0.05, .bad_to_good = 0.5},
           burst_loss{.good_to_bad = 0.02, .bad_to_good = 0.1, .loss_when_bad = 0.5},
           burst_loss{.good_to_bad = 0.02, .bad_to_good = 0.1, .loss_when_good = 0.01, .loss_when_bad = 0.8},
           burst_loss{.good_to_bad = 0.3, .bad_to_good = 0.7},  // the states have no memory: independent loss
       }) {
    const auto is = measure(row, 100'000), should = expected(row);
    CAPTURE(row.good_to_bad);
    CAPTURE(row.bad_to_good);
    CHECK(is.loss == doctest::Approx(should.loss).epsilon(0.05));
    CHECK(is.run == doctest::Approx(should.run).epsilon(0.05));
  }
}

TEST_CASE("a line that never turns bad loses nothing, and one that never turns good loses the rest") {
  CHECK(measure({}, 1000).loss == 0);
  const auto m = measure({.good_to_bad = 1, .bad_to_good = 0}, 1000);
  CHECK(m.loss == 1);
  CHECK(m.run == 1000);
}

TEST_CASE("a link loses in bursts beside the loss of its own, and TCP segments come late instead") {
  const base::instant start{};
  const impairments rough{.latency = 10ms, .loss = 0.1, .bursts = burst_loss{.good_to_bad = 0.01, .bad_to_good = 0.2}};
  link_direction datagrams(rough, generator(1)), segments(rough, generator(1));
  int lost = 0, late = 0;
  for (int n = 0; n < 100'000; ++n) {
    const auto now = start + n * 1s;
    lost += datagrams.carry_datagram(now, 100).copies == 0;
    late += segments.carry_segment(now, 100) > now + 10ms;
  }
  const double share = 1 - 0.9 * (1 - 0.01 / 0.21);
  CHECK(lost / 100'000.0 == doctest::Approx(share).epsilon(0.03));
  CHECK(late / 100'000.0 == doctest::Approx(share).epsilon(0.03));
}
