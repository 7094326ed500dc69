// The peer's checks, the server's side (RFC 8445 §7.3).
#include <algorithm>

#include "ice/priority.hpp"
#include "ice/session.hpp"

namespace strata::ice {
namespace {

constexpr std::size_t most_early_checks = 64;

void refuse(session& s, local_base& b, const stun::message_view& m, const base::endpoint& to, int code, std::string_view why) {
  ++s.counts.requests_refused;
  if (s.tracer.enabled()) s.note("refused " + to.to_string() + " with " + std::to_string(code), why);
  s.transmit(b, to, encode_error(m, code, s.local_key));
}

// §7.3.1.1. False: answered with 487.
bool repair_role_conflict(session& s, const received_check& c) {
  if (!c.sender) return true;
  const auto verdict = resolve_roles(s.role, *c.sender);
  if (verdict == role_verdict::agreed) return true;
  ++s.counts.role_conflicts;
  if (verdict == role_verdict::insist) return false;
  s.set_role(!s.role.controlling, "the peer has our role and the larger tie-breaker");
  return true;
}

void remember(session& s, const base::endpoint& base_address, const base::endpoint& from, const received_check& c) {
  const auto same = std::ranges::find_if(
      s.early_checks, [&](const early_check& e) { return e.base_address == base_address && e.from == from; });
  if (same != s.early_checks.end())
    same->check.use_candidate |= c.use_candidate, same->check.nomination = std::max(same->check.nomination, c.nomination);
  else if (s.early_checks.size() < most_early_checks) s.early_checks.push_back({base_address, from, c});
}

// §7.3.1.3: a source that nobody signaled is a candidate, too.
const candidate* remote_candidate(session& s, const local_base& b, const base::endpoint& from, std::uint32_t priority) {
  const auto known =
      std::ranges::find_if(s.remote_candidates, [&](const candidate& c) { return is_at(c, from, b.own.protocol); });
  if (known != s.remote_candidates.end()) return &*known;
  if (s.remote_candidates.size() >= s.config.max_remote_candidates) return nullptr;
  candidate c;
  c.type = candidate_type::peer_reflexive;
  c.address = from;
  // RFC 6544 §7.2: who came to us through TCP is the other half of what we are.
  c.protocol = b.own.protocol;
  if (b.own.tcptype == tcp_type::simultaneous_open) c.tcptype = b.own.tcptype;
  else if (b.own.tcptype) c.tcptype = b.own.tcptype == tcp_type::passive ? tcp_type::active : tcp_type::passive;
  c.priority = priority;
  c.foundation = unused_foundation(s.remote_candidates);
  if (s.tracer.enabled()) s.note("remote candidate", c.describe());
  return &s.remote_candidates.emplace_back(std::move(c));
}

// §7.3.1.4
candidate_pair* trigger(session& s, local_base& b, const candidate& remote) {
  auto* pair = s.checks.find(b.own.address, remote.address);
  if (pair == nullptr) {
    const auto added = s.checks.add_triggered(b.own, remote);
    if (!added) return nullptr;
    pair = s.checks.find(*added);
    s.checks.trigger(*pair);
    return pair;
  }
  switch (pair->state) {
    case pair_state::succeeded: break;  // nothing is left to show
    case pair_state::in_progress:
      // The peer's check opened its NAT just now: ask again at once; the older question still may be answered.
      silence(s, pair->id);
      s.set_pair_state(*pair, pair_state::waiting, "the peer checks it, too");
      s.checks.trigger(*pair);
      break;
    case pair_state::frozen:
    case pair_state::waiting:
    case pair_state::failed:
      s.set_pair_state(*pair, pair_state::waiting, "the peer checks it");
      s.checks.trigger(*pair);
      break;
  }
  return pair;
}

// §7.3.1.5: the peer controls, and wants this pair.
void nominate(session& s, candidate_pair& pair, std::uint32_t value) {
  if (s.renominates() && !s.nominations.accept(std::max(value, 1u), pair.id)) return;
  auto* valid = s.valid.find(pair.local.base_address, pair.remote.address);
  if (pair.state != pair_state::succeeded || valid == nullptr) {
    pair.nominate_on_success = true;
    pair.nomination = value;
    return;
  }
  if (valid->nominated && value <= valid->nomination) return;  // aggressive nomination says it with every check
  valid->nomination = value;
  valid->nominated = true;
  valid->nominated_by_us = false;
  nominated(s, "the peer nominated the pair");
}

}  // namespace

void answer_check(session& s, local_base& b, const stun::message_view& m, const base::endpoint& from) {
  const auto c = read_check(m, s.local.ufrag, s.local_key);
  if (c.refuse != 0) {
    refuse(s, b, m, from, c.refuse, c.why);
    return;
  }
  if (s.recent_checks.is_replay(m.transaction_id(), from)) {
    ++s.counts.requests_replayed;
    return;
  }
  if (!repair_role_conflict(s, c)) {
    refuse(s, b, m, from, 487, "a check from a peer that believes it has our role");
    return;
  }
  // §7.3.1.2: the mapped address is where the check came from. §7.3: answered at once, whoever the peer may be, and for
  // as long as the session lives (§8.1.2).
  ++s.counts.requests_answered;
  s.transmit(b, from, encode_success(m.transaction_id(), from, s.local_key));
  if (!s.remote) remember(s, b.own.address, from, c);
  else if (!s.ended()) process_check(s, b, from, c);
}

void process_check(session& s, local_base& b, const base::endpoint& from, const received_check& c) {
  // §8.1.1: after our nomination nothing else is looked at.
  if (s.role.controlling && s.valid.any_nominated() && !s.renominates()) return;
  const auto* remote = remote_candidate(s, b, from, c.priority);
  if (remote == nullptr) return;
  auto* pair = trigger(s, b, *remote);
  if (pair == nullptr) return;
  // Without an agreement NOMINATION says nothing. libwebrtc sends it alone.
  const auto value = s.renominates() ? std::max(c.nomination, c.use_candidate ? 1u : 0u) : 0u;
  if ((c.use_candidate || value != 0) && !s.role.controlling) nominate(s, *pair, value);
  s.work_for_checks.set();
}

}  // namespace strata::ice
