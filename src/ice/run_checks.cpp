// The pace of the checks (RFC 8445 §6.1.4.2), the decision to nominate (§8.1.1) and the decision to give up (§8.1.2, 8863).
#include <algorithm>

#include "async/scope.hpp"
#include "ice/nomination.hpp"
#include "ice/scheduler.hpp"
#include "ice/session.hpp"

namespace strata::ice {
namespace {

// exception: 8445-14.2-d agents share nothing; a process with many of them starts checks when its peers come, not at once

// Returns when to look again.
base::instant consider_nomination(session& s) {
  if (!s.role.controlling || s.nominating || !s.first_valid) return base::never;
  if (s.valid.any_nominated()) return consider_renomination(s);
  const auto decision = decide_nomination(s.checks, s.valid, {s.now(), *s.first_valid, s.remote->lite});
  if (!decision.nominate) return decision.look_again;
  auto* pair = s.checks.find(*decision.nominate);
  if (pair == nullptr) return base::never;
  s.nominating = true;
  s.checks.trigger(*pair, true);
  if (s.tracer.enabled()) s.note("nomination", pair->describe());
  return base::never;
}

// RFC 8863 §4: not before the peer had its time to reach us. RFC 8838 §8: and not while we have more to offer; that the
// peer is done is taken for granted by then (RFC 8863 §5).
bool nothing_left(const session& s) {
  return s.now() >= s.patience_ends && s.gathering_done && s.valid.empty() && s.checks.unfinished() == 0 &&
         s.checks.triggered() == 0;
}

std::string_view why_failed(const session& s) {
  if (s.bases.empty()) return "this machine has no usable address";
  if (s.remote_candidates.empty()) return "the peer sent neither a candidate nor a check";
  if (s.checks.pairs().empty()) return "no local candidate fits any of the peer's";
  return "no candidate pair works";
}

// §7.2.2: the pair is marked before its check runs, so that nobody takes it twice.
void begin(session& s, pair_id id, purpose why, std::string_view text, async::scope& scope) {
  auto& pair = *s.checks.find(id);
  ++pair.current_check;
  ++pair.checks;
  pair.last_check = s.now();
  if (pair.state == pair_state::failed) s.set_pair_state(pair, pair_state::waiting, text);
  if (pair.state != pair_state::succeeded) s.set_pair_state(pair, pair_state::in_progress, text);
  scope.spawn("ice check", check, std::ref(s), id, why);
}

void begin_next(session& s, async::scope& scope) {
  if (const auto next = next_check(s.checks))
    begin(s, next->pair, next->nominate ? purpose::nominate : purpose::ordinary,
          next->triggered ? "triggered check" : "ordinary check", scope);
}

}  // namespace

async::task<> run_checks(session& s) {
  co_await s.remote_known.wait();
  co_await async::with_scope(async::at_end::cancel, [&s](async::scope& scope) -> async::task<> {
    auto next_slot = s.now();
    while (!s.ended()) {
      s.work_for_checks.reset();
      auto wake = consider_nomination(s);
      if (has_next_check(s.checks)) {
        wake = std::min(wake, next_slot);
        if (s.now() >= next_slot) {
          begin_next(s, scope);
          next_slot = s.now() + s.pacing;
          continue;
        }
      } else if (const auto probe = consider_probes(s); probe.pair) {
        wake = std::min(wake, next_slot);
        if (s.now() >= next_slot) {
          ++s.counts.probes;
          begin(s, *probe.pair, purpose::probe, "probe", scope);
          next_slot = s.now() + s.pacing;
          continue;
        }
      } else {
        wake = std::min(wake, probe.look_again);
      }
      if (nothing_left(s)) {
        s.set_state(agent_state::failed, why_failed(s));
        break;
      }
      if (s.now() < s.patience_ends) wake = std::min(wake, s.patience_ends);
      co_await set_or_late(s.work_for_checks, wake);
    }
  });
}

}  // namespace strata::ice
