// Has the gateway lost its state? Each of its answers says how long it has been up; if that does not fit our own clock, it has
// started again and knows nothing of our mappings (RFC 6887 §8.5, RFC 6886 §3.6).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace strata::portmap {

class epoch {
 public:
  // False: the state is lost. The first answer proves nothing and is taken.
  bool learn(std::uint32_t server_seconds, base::instant now) noexcept {
    const auto before = seen_;
    seen_ = sample{server_seconds, now};
    if (!before) return true;
    const std::int64_t server = static_cast<std::int64_t>(server_seconds) - before->seconds;
    const std::int64_t client = std::chrono::duration_cast<std::chrono::seconds>(now - before->at).count();
    // Going backwards by one second is how answers overtake each other.
    if (server < -1) return false;
    // Two seconds and a sixteenth: clocks differ, and answers are on their way for a while.
    return client + 2 >= server - server / 16 && server + 2 >= client - client / 16;
  }
  void forget() noexcept { seen_.reset(); }

 private:
  struct sample {
    std::uint32_t seconds;
    base::instant at;
  };
  std::optional<sample> seen_;
};

}  // namespace strata::portmap
