// A candidate pair and its state (RFC 8445 §6.1.2.6):
//
//                    an answer came          +-----------+
//                  +-----------------------> | Succeeded | --+
//                  |                         +-----------+   | the nominating check found it dead (§7.2.5.3.4)
//   +--------+   +-------------+             +--------+ <----+
//   | Frozen |-->| In-Progress | ----------> | Failed |
//   +--------+   +-------------+  none, or   +--------+
//      |          ^      |  ^     an error     |
//      |  unfreeze|      |  |                  | the peer checks it (§7.3.1.4)
//      v          |      v  |                  |
//   +---------+---+    (§7.2.5.1, §7.3.1.4)    |
//   | Waiting | <------------------------------+
//   +---------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.hpp"
#include "base/time.hpp"
#include "ice/candidate.hpp"

namespace strata::ice {

enum class pair_state : std::uint8_t { frozen, waiting, in_progress, succeeded, failed };
std::string_view to_string(pair_state s) noexcept;  // the RFC's names

// Whether the RFC knows this change. Staying is always legal.
[[nodiscard]] bool may_follow(pair_state from, pair_state to) noexcept;

using pair_id = base::strong<struct pair_id_tag, std::uint32_t>;

struct candidate_pair {
  pair_id id;
  candidate local;  // a host candidate: others have been replaced by their base (RFC 8445 §6.1.2.4)
  candidate remote;
  std::uint64_t priority = 0;
  pair_state state = pair_state::frozen;

  bool nominate_on_success = false;  // controlled: the peer nominated it before our own check was answered (§7.3.1.5)
  bool doubtful = false;             // its check had to be sent again: the first one was lost, or nobody is there
  bool triggered = false;            // is in the triggered-check queue
  std::uint32_t current_check = 0;   // which transaction counts: the newest one; earlier ones only listen (§7.3.1.4)
  std::uint32_t checks = 0;          // transactions begun
  base::instant last_check{};        // when the last one began
  std::uint32_t nomination = 0;      // the peer's value, for nominate_on_success
  bool answered = false;             // a check of it was, at some time
  std::optional<base::duration> rtt;
  std::string outcome = "not checked yet";

  [[nodiscard]] std::string foundation() const { return local.foundation + ' ' + remote.foundation; }
  [[nodiscard]] std::string describe() const;  // "host 192.0.2.1:4000 -> srflx 198.51.100.1:5000"
};

// RFC 6544 §6.2: who connects meets who listens; simultaneous open meets its like.
[[nodiscard]] bool may_meet(const candidate& local, const candidate& remote) noexcept;

// RFC 8445 §6.1.2.2: same component, same transport, same family; link-local only with link-local. Loopback, which
// development admits, only with loopback: no kernel routes between the two. A public relay not with private addresses.
[[nodiscard]] bool can_pair(const candidate& local, const candidate& remote) noexcept;

}  // namespace strata::ice
