// Which other path to look after, and when to change to one (draft-thatcher-ice-renomination; both sides have agreed to it).
// A rule: the pairs go in as plain numbers, what to do comes out. Times are the host's.
//
// Either side looks after its pairs, so that the NATs of both stay open; the controlling side alone decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.hpp"
#include "ice/pair.hpp"

namespace strata::ice {

// One pair, best priority first where there are several.
struct path_view {
  pair_id id;
  std::uint64_t priority = 0;
  bool relayed = false;   // either end
  bool selected = false;  // carries data
  bool valid = false;     // a check has shown it, and answers still come
  bool failed = false;    // a check has failed; pairs that are neither are being checked in the ordinary way
  base::instant asked{};
  base::instant answered{};  // when valid
  std::optional<base::duration> rtt{};
  unsigned samples = 0;
  double loss = 0;
};

struct renomination_input {
  base::instant now;
  base::instant interrupted_since = base::never;  // the selected pair does not answer; never: it does
  base::instant nominated_at{};                   // the last time
};

struct renomination_timing {
  base::duration keep = std::chrono::seconds(5);            // a valid pair is asked so often: its NATs stay open
  base::duration retry = std::chrono::seconds(10);          // a failed pair that would be better
  base::duration hurry = std::chrono::seconds(1);           // every pair, while the selected one does not answer
  base::duration settle = std::chrono::seconds(5);          // between two changes for the better
  base::duration settle_rtt = std::chrono::seconds(30);     // between two changes for a better round trip
  base::duration give_up_after = std::chrono::seconds(30);  // a pair without an answer is not valid any more
  std::size_t most_kept = 8, most_retried = 8;
};

struct probe_decision {
  std::optional<pair_id> ask{};
  std::optional<pair_id> give_up{};
  base::instant look_again = base::never;
};
// One at a time: the caller asks it again at its next slot (Ta).
[[nodiscard]] probe_decision next_probe(std::span<const path_view> paths, const renomination_input& in,
                                        const renomination_timing& t = {}) noexcept;

struct renomination_decision {
  std::optional<pair_id> nominate{};
  std::string_view why{};
  base::instant look_again = base::never;
};
[[nodiscard]] renomination_decision decide_renomination(std::span<const path_view> paths, const renomination_input& in,
                                                        const renomination_timing& t = {}) noexcept;

// Direct before relayed; of one kind a third less round trip and at least 10 ms, well measured, and no more loss.
[[nodiscard]] bool has_better_round_trip(const path_view& candidate, const path_view& than) noexcept;

// What the peer says. It may have been overtaken by a later one, or be repeated by somebody on the way: a value counts when it
// is higher than all before, or again for the pair that it chose.
class nomination_memory {
 public:
  bool accept(std::uint32_t value, pair_id pair) noexcept {
    if (value == 0 || value < highest_ || (value == highest_ && pair != chosen_)) return false;
    highest_ = value;
    chosen_ = pair;
    return true;
  }
  // Ours, when we are the controlling side: above everything that was said so far, also by the peer before a role conflict.
  std::uint32_t next() noexcept {
    if (highest_ != UINT32_MAX) ++highest_;
    return highest_;
  }
  [[nodiscard]] std::uint32_t highest() const noexcept { return highest_; }

 private:
  std::uint32_t highest_ = 0;
  pair_id chosen_{};
};

}  // namespace strata::ice
