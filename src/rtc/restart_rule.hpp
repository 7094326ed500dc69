// When a connection should look for another path (an ICE restart). A rule: what is known goes in, a reason comes out.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/time.hpp"

namespace strata::rtc {

struct restart_input {
  base::instant now;
  bool controlling = false;
  bool interrupted = false;           // the path in use does not answer
  base::instant interrupted_since{};  // meaningful then
  std::string_view asked{};           // since the last restart something has changed: what
  bool relayed = false;               // the path in use goes through a relay
  bool renominates = false;           // the agents look for a better path themselves, as long as they live
  bool alternatives = false;          // and have another one at hand
  base::instant last_attempt{};       // when the connection was made or a restart was begun, the later one
  unsigned fruitless = 0;             // restarts in a row that brought nothing better
};

struct restart_decision {
  std::string_view why{};  // empty: not now
  base::instant look_again = base::never;
};

inline restart_decision decide_restart(const restart_input& in) noexcept {
  using namespace std::chrono_literals;
  const auto not_before = [&](base::instant when, std::string_view why) -> restart_decision {
    if (in.now >= when) return {.why = why};
    return {.look_again = when};
  };
  // Patience doubles with every attempt that was of no use.
  const auto after = [&](base::duration first, base::duration most) {
    return std::min<base::duration>(first * (std::int64_t{1} << std::min(in.fruitless, 16u)), most);
  };
  // Both sides notice, mostly at the same time: one of them waits a moment, so that their offers do not cross.
  base::duration courtesy = in.controlling ? 0ms : 700ms;
  // Another pair of the same agents takes some round trips, a restart takes signaling.
  if (in.renominates && in.alternatives) courtesy += 1500ms;
  if (!in.asked.empty()) return not_before(in.last_attempt + (in.fruitless == 0 ? 1s : after(1s, 10s)), in.asked);
  if (in.interrupted) {
    const auto due = std::max(in.interrupted_since + courtesy, in.last_attempt + (in.fruitless == 0 ? 0ms : after(2s, 10s)));
    return not_before(due, "the path does not answer");
  }
  // Agents that renominate look for a better pair themselves, among the candidates that they once had.
  if (in.relayed && in.controlling) return not_before(in.last_attempt + after(30s, 10min), "a direct path may exist by now");
  return {};
}

}  // namespace strata::rtc
