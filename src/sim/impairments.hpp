// What one direction of a link does to a packet: rules only, time and chance are arguments or seeded state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.hpp"
#include "sim/burst_loss.hpp"
#include "sim/generator.hpp"

namespace strata::sim {

using namespace std::chrono_literals;

struct impairments {
  base::duration latency = 10ms;       // one way
  base::duration jitter{};             // up to this much more, uniform; does not reorder
  double loss = 0;                     // probabilities, each drawn for each packet
  std::optional<burst_loss> bursts{};  // of loss, beside the one above
  double duplicate = 0;
  double reorder = 0;  // this packet is late by reorder_by, later ones may overtake it
  base::duration reorder_by = 10ms;
  std::uint64_t bits_per_second = 0;    // 0: no limit
  std::size_t queue_bytes = 256 << 10;  // waiting for the bottleneck; more is dropped
  std::size_t mtu = 65535;  // bytes of an IP packet; a larger datagram that may not be cut is lost, and its sender told
};

// One packet's arrivals: none, one, or two of a duplicate.
struct fate {
  std::array<base::instant, 2> at{};
  std::size_t copies = 0;
  std::string_view dropped;  // the reason when there are none
  [[nodiscard]] std::span<const base::instant> arrivals() const noexcept { return {at.data(), copies}; }
};

class link_direction {
 public:
  link_direction(const impairments& i, generator g) noexcept : impairments_(i), generator_(g) {}
  void set(const impairments& i) noexcept { impairments_ = i; }
  [[nodiscard]] const impairments& current() const noexcept { return impairments_; }

  [[nodiscard]] fate carry_datagram(base::instant now, std::size_t size) noexcept;
  // A TCP segment arrives in the end: what would have been lost comes a retransmission later. No duplicates.
  [[nodiscard]] base::instant carry_segment(base::instant now, std::size_t size) noexcept;

 private:
  [[nodiscard]] bool loses_next() noexcept;
  std::optional<base::instant> cross(base::instant now, std::size_t size, bool may_drop) noexcept;

  impairments impairments_;
  generator generator_;
  burst_state burst_;
  base::instant line_free_{};     // when the bottleneck has sent what it holds
  base::instant last_arrival_{};  // jitter must not reorder
};

}  // namespace strata::sim
