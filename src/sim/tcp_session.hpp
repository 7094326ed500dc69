// One TCP connection as a NAT sees it pass: partially open, established, closing (RFC 5382 §5), and how long it is remembered
// in each phase when nothing passes. Rules only.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "sim/packet.hpp"

namespace strata::sim {

struct tcp_timeouts {
  base::duration established = std::chrono::minutes(124);  // RFC 5382 §5: REQ-5
  base::duration transitory = std::chrono::minutes(4);     // partially open, or closing
};

class tcp_session {
 public:
  enum class direction : std::uint8_t { out, in };
  enum class phase : std::uint8_t { opening, established, closing };

  void pass(direction d, segment_kind k, base::instant now) noexcept {
    last_ = now;
    auto& here = d == direction::out ? out_ : in_;
    const auto& there = d == direction::out ? in_ : out_;
    switch (k) {
      case segment_kind::open:
        if (phase_ == phase::closing) *this = tcp_session(now);
        (d == direction::out ? out_ : in_).opened = true;
        if (out_.opened && in_.opened) phase_ = phase::established;  // RFC 9293 §3.5: both at once
        break;
      case segment_kind::accepted: phase_ = phase::established; break;
      case segment_kind::end:
        here.ended = true;
        if (there.ended) phase_ = phase::closing;
        break;
      case segment_kind::reset: phase_ = phase::closing; break;  // RFC 7857 §2.2: of either side
      case segment_kind::data:
      case segment_kind::credit:
        if (phase_ == phase::opening) phase_ = phase::established;  // it was open before we came to know it
        break;
    }
  }
  [[nodiscard]] phase current() const noexcept { return phase_; }
  [[nodiscard]] bool forgotten(base::instant now, const tcp_timeouts& t) const noexcept {
    return now - last_ >= (phase_ == phase::established ? t.established : t.transitory);
  }

  tcp_session() = default;

 private:
  explicit tcp_session(base::instant now) noexcept : last_(now) {}
  struct side {
    bool opened = false, ended = false;
  };
  phase phase_ = phase::opening;
  side out_, in_;
  base::instant last_{};
};

}  // namespace strata::sim
