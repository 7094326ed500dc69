// What the checks come to (RFC 8445 §8): the pair that carries data, and the state of the session.
#include "ice/session.hpp"

namespace strata::ice {
namespace {

void move_outlet(session& s, const valid_pair* best) {
  auto* b = best == nullptr ? nullptr : s.base_at(best->local.base_address).get();
  const auto remote = best == nullptr ? base::endpoint() : best->remote.address;
  if (b == s.outlet.base && remote == s.outlet.remote) return;
  s.outlet.base = b;
  s.outlet.remote = remote;
  s.interrupted = false;
  s.interrupted_since = base::never;
  s.work_for_consent.set();
  if (best != nullptr && s.tracer.enabled())
    s.note("selected pair", best->local.describe() + " -> " + best->remote.describe() + (best->nominated ? ", nominated" : ""));
}

// RFC 6544 §11.1: only the connection of the selected pair is kept. Also one whose pair has not been checked: the peer made it.
void close_unselected(session& s, const valid_pair& selected, std::uint64_t below) {
  for (const auto& p : s.checks.pairs()) {
    const bool in_use = p.local.base_address == selected.local.base_address && p.remote.address == selected.remote.address;
    if (in_use || p.priority >= below) continue;
    if (const auto b = s.base_at(p.local.base_address)) disconnect(*b, p.remote.address);
  }
}

}  // namespace

void reconsider(session& s, std::string_view why) {
  const auto* best = s.ended() ? nullptr : s.valid.selected();
  move_outlet(s, best);
  if (!s.ended() && s.remote) {
    if (s.outlet.base == nullptr) s.set_state(agent_state::checking, why);
    else if (s.interrupted) s.set_state(agent_state::disconnected, why);
    else if (best->nominated) s.set_state(agent_state::completed, why);
    else s.set_state(agent_state::connected, why);
  }
  s.invariant();
}

// §8.1.2: what needs no check any more. A controlling side is done. A controlled one may face a peer of RFC 5245 that
// nominates whatever works first and better pairs later (8.1.1.2 there), so better pairs stay.
void nominated(session& s, std::string_view why) {
  s.nominated_at = s.now();
  ++s.counts.nominations;
  // With renomination nothing is thrown away: another pair may be wanted later.
  if (s.renominates()) return reconsider(s, why);
  const auto* best = s.valid.selected();
  const auto below = s.role.controlling ? UINT64_MAX : best->priority;
  close_unselected(s, *best, below);
  s.checks.remove_unchecked(below);
  for (const auto& p : s.checks.pairs())
    if (p.state == pair_state::in_progress && p.priority < below && p.id != best->checked) silence(s, p.id);
  reconsider(s, why);
}

// Its interface went away, or the kernel gave up on it.
void lose_base(session& s, local_base& b, std::string_view why) {
  s.note("socket " + b.own.address.to_string(), why);
  s.checks.fail_all_of(b.own.address, why);
  s.valid.remove_all_of(b.own.address);
  if (std::erase_if(s.bases, [&](const auto& known) { return known.get() == &b; }) == 0) return;
  b.lost = true;
  b.transactions.fail_all(base::errc::closed);
  if (s.renominates()) s.nominating = false;  // a nomination that was queued for it
  const bool was_in_use = s.outlet.base == &b;
  if (was_in_use && s.valid.empty()) s.set_state(agent_state::failed, why);
  reconsider(s, why);
  s.work_for_checks.set();
}

}  // namespace strata::ice
