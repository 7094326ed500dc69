// Which way messages for a peer take now: the open channel of its link, direct or over a relay, or tasks at the registry, which
// are slower and go where no path does. Between direct and relayed the link decides by itself; this rule decides whether the
// channel is to be used at all.
//
// A channel is left when something sent on it has had no answer for `patience`, and nothing else was answered on it either:
// consent (RFC 7675 §5.1) would take 30 s to say so. It is used again once something is answered on it, or another one has
// opened. After one that was left again soon there is a wait, longer each time, and only what is answered later counts: a path
// that comes and goes must not make everything be sent twice. Where tasks cannot go, the channel is used as long as it is
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace strata::mesh {

enum class tier : std::uint8_t { none, direct, relayed, tasks };
std::string_view to_string(tier t) noexcept;
constexpr bool over_link(tier t) noexcept { return t == tier::direct || t == tier::relayed; }

struct tier_facts {
  std::uint64_t connection = 0;  // of the open channel: another number for each that opens; 0: there is none
  bool relayed = false;
  base::instant opened;                           // when it did
  base::instant heard;                            // the latest answer on it to anything of ours: a STUN answer, an ack
  std::optional<base::duration> round_trip;       // measured on it
  std::optional<base::instant> unanswered_since;  // what the outbox says
  std::optional<base::instant> letter;            // when the peer last sent something by a task
  bool registry = false;                          // tasks can be left there now
  bool frames = false;                            // the peer reads our frames, so that messages may arrive by two ways
};

struct tier_decision {
  tier use = tier::none;
  bool go_again = false;                   // another way than before: outbox::go_again(), and a hello first
  bool probe = false;                      // make the peer say something on the channel that is not used: a STUN check, a hello
  base::instant look_again = base::never;  // earlier when a fact changes
};

struct tier_terms {
  base::duration patience = std::chrono::milliseconds(800);  // or two round trips, where they take longer
  base::duration doubt = std::chrono::milliseconds(100);     // instead, when the peer itself does not use the channel
  base::duration first_wait = std::chrono::seconds(1);       // of a channel that was left soon; doubled each time
  base::duration longest_wait = std::chrono::seconds(30);
  base::duration soon = std::chrono::seconds(60);
  base::duration probe_every = std::chrono::seconds(1);
};

class tier_choice {
 public:
  explicit tier_choice(tier_terms t = {}) noexcept : terms_(t) {}

  // Cheap: to be asked whenever a fact changes, and at look_again.
  tier_decision decide(const tier_facts& f, base::instant now) noexcept;
  [[nodiscard]] tier now_on() const noexcept { return use_; }

 private:
  [[nodiscard]] base::instant given_up_at(const tier_facts& f) const noexcept;
  [[nodiscard]] base::duration wait() const noexcept;
  void leave(base::instant now) noexcept;
  tier_decision take(tier t, const tier_facts& f, base::instant now) noexcept;

  tier_terms terms_;
  tier use_ = tier::none;
  std::uint64_t connection_ = 0;  // that was used last
  bool left_ = false;             // no answer before trusted_from_ brings it back
  base::instant trusted_from_;
  std::optional<base::instant> climbed_;  // when it was used the last time after another way
  unsigned left_soon_ = 0;                // how often in a row
  base::instant probe_at_;
};

}  // namespace strata::mesh
