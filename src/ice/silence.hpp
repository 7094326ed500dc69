// Is anybody there? Consent (RFC 7675) finds a dead path after many seconds, which is right for a path that rests. One that
// carries data shows it sooner: data is answered, and when it is not, the peer is asked, twice a second. Answers to these
// checks are consent as well. A rule: it is told what was sent and heard in all, and says what to do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace strata::ice {

class silence_watch {
 public:
  struct verdict {
    bool ask = false;          // send a check now
    bool interrupted = false;  // asked often enough
    base::instant look_again = base::never;
  };

  // Called when data was sent after a rest, and whenever look_again has come.
  verdict look(base::instant now, std::uint64_t sent, std::uint64_t heard, std::optional<base::duration> rtt) noexcept {
    using namespace std::chrono_literals;
    const bool new_sent = sent != sent_, new_heard = heard != heard_;
    sent_ = sent;
    heard_ = heard;
    if (new_heard) since_.reset();
    if (!since_) {
      if (!new_sent) return {};  // it rests
      if (!new_heard) since_ = now;
      asked_ = 0;
      return {.look_again = now + interval};
    }
    const auto patience = first_question + std::min<base::duration>(rtt.value_or(500ms) * 3, 2s);
    if (now - *since_ < patience) return {.look_again = now + interval};
    if (asked_ < questions) {
      ++asked_;
      return {.ask = true, .look_again = now + interval};
    }
    return {.ask = true, .interrupted = true, .look_again = now + 2 * interval};
  }
  void reset() noexcept { *this = {}; }

  static constexpr base::duration interval = std::chrono::milliseconds(500);
  static constexpr base::duration first_question = std::chrono::milliseconds(500);
  static constexpr int questions = 3;  // unanswered, before the path counts as interrupted

 private:
  std::uint64_t sent_ = 0, heard_ = 0;
  std::optional<base::instant> since_;  // data goes out and nothing comes back
  int asked_ = 0;
};

}  // namespace strata::ice
