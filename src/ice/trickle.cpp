// Candidates of both sides, as they come (RFC 8838): pairing, and the two ends of candidates.
#include <algorithm>

#include "ice/session.hpp"
#include "ice/timing.hpp"

namespace strata::ice {

void add_local_candidate(session& s, candidate c) {
  // RFC 8445 §5.1.3, RFC 8838 §9: same address and base as one we have.
  const auto same = [&](const candidate& known) { return is_redundant(known, c); };
  if (std::ranges::any_of(s.local_candidates, same)) return;
  // RFC 8838 §13: nothing is trickled after the end of candidates, nor after the nomination.
  if (s.gathering_done || s.ended() || (s.valid.any_nominated() && !s.renominates())) return;
  if (s.tracer.enabled()) s.note("local candidate", c.describe());
  s.local_candidates.push_back(c);
  s.candidates_changed.pulse();
  if (!s.remote) return;
  // A reflexive one adds no pair: its base has them.
  // exception: 8838-10-a it goes to whoever signals in the same turn; a check that overtakes it is a peer-reflexive one
  // RFC 8445 §7.3.1.3: one that a check has shown belongs to the address where the check arrived.
  for (const auto& r : s.remote_candidates)
    if (r.type != candidate_type::peer_reflexive) s.checks.add(c, r);
  s.work_for_checks.set();
}

void end_gathering(session& s, std::string_view why) {
  if (s.gathering_done) return;
  s.gathering_done = true;
  s.phases.gathering_ended = s.now();
  s.tracer(s.now(), trace::phase{trace::layer::ice, "gathering", false, why});
  s.candidates_changed.pulse();
  s.work_for_checks.set();
}

void set_remote(session& s, description peer) {
  if (s.ended()) return;
  if (s.remote) {
    if (*s.remote != peer) s.note("remote description", "another one: a new session needs a new agent");
    return;
  }
  s.remote_key.emplace(stun::short_term_key(peer.pwd));
  s.remote = std::move(peer);
  s.pacing = agree_on_pacing(s.config.pacing, s.remote->pacing);
  // RFC 8445 §6.1.1: a lite peer cannot control.
  if (s.remote->lite) s.set_role(true, "the peer is a lite implementation");
  s.phases.checks_began = s.now();
  s.tracer(s.now(), trace::phase{trace::layer::ice, "checks", true, s.role.controlling ? "controlling" : "controlled"});
  // RFC 8863 §4: checks may begin, even if there is nobody to check yet.
  s.patience_ends = s.now() + s.config.patience;
  s.set_state(agent_state::checking, "the peer's description is known");

  for (auto& c : std::exchange(s.unpaired, {})) {
    if (!c.ufrag.empty() && c.ufrag != s.remote->ufrag) {
      s.drop(s.counts.dropped_candidates, "a candidate of another generation", c.address, 0);
      continue;
    }
    s.remote_candidates.push_back(std::move(c));
  }
  for (const auto& b : s.bases) permit_peer(s, *b);
  s.checks.form(s.local_candidates, s.remote_candidates);
  // RFC 8445 §7.3: what came early is looked at now.
  for (const auto& e : std::exchange(s.early_checks, {}))
    if (const auto b = s.base_at(e.base_address)) process_check(s, *b, e.from, e.check);
  s.remote_known.set();
  s.work_for_checks.set();
}

base::result<void> add_remote_candidate(session& s, candidate c) {
  const auto refuse = [&](errc why, std::string_view text) -> base::result<void> {
    s.drop(s.counts.dropped_candidates, text, c.address, 0);
    return base::fail(why);
  };
  if (s.ended()) return base::fail(errc::closed);
  // RFC 8838 §14
  if (s.remote_ended) return refuse(errc::not_for_us, "a candidate after the peer's end of candidates");
  if (s.remote && !c.ufrag.empty() && c.ufrag != s.remote->ufrag)
    return refuse(errc::not_for_us, "a candidate of another generation");
  if (c.component != 1) return refuse(errc::not_for_us, "a candidate of another component");
  if (c.protocol != transport::udp && (s.config.tcp == tcp_policy::none || !c.tcptype))
    return refuse(errc::unsupported_transport, "a TCP candidate");
  if (s.remote_candidates.size() + s.unpaired.size() + s.unresolved.size() >= s.config.max_remote_candidates)
    return refuse(errc::too_many, "more remote candidates than allowed");
  if (!c.name.empty()) {
    // RFC 8839 §5.1: other names are not looked up; a browser's .local is.
    if (!c.is_mdns() || !s.config.resolve_mdns) return refuse(errc::unsupported_address, "a candidate with a host name");
    if (s.tracer.enabled()) s.note("remote candidate", c.describe());
    s.unresolved.push_back(std::move(c));
    s.work_for_names.set();
    return {};
  }
  if (c.address.address.is_unspecified() || c.address.address.is_multicast() || c.address.port == 0)
    return refuse(errc::unsupported_address, "a candidate that is no host's address");
  if (s.tracer.enabled()) s.note("remote candidate", c.describe());
  if (!s.remote) s.unpaired.push_back(std::move(c));
  else pair_remote_candidate(s, c);
  return {};
}

void pair_remote_candidate(session& s, const candidate& c) {
  const auto known = std::ranges::find_if(
      s.remote_candidates, [&](const candidate& r) { return is_at(r, c.address, c.protocol) && r.tcptype == c.tcptype; });
  if (known != s.remote_candidates.end()) {
    if (known->type != candidate_type::peer_reflexive) return;
    // RFC 8838 §11: the peer's check was faster than its signaling. A relay is not better for that: as peer-reflexive it would
    // stand before direct paths.
    const auto priority = c.type == candidate_type::relayed ? c.priority : known->priority;
    *known = c;
    known->priority = priority;
    s.checks.adopt_signaled(*known);
    for (auto& b : s.bases)
      if (auto* v = s.valid.find(b->own.address, c.address); v != nullptr && b->own.protocol == c.protocol) v->remote = *known;
    s.valid.set_controlling(s.role.controlling);  // priorities follow
    return;
  }
  s.remote_candidates.push_back(c);
  for (const auto& b : s.bases) permit_peer(s, *b);
  // After a nomination of ours nothing new is checked (RFC 8445 §8.1.1).
  if (s.role.controlling && !s.renominates() && (s.valid.any_nominated() || s.nominating)) return;
  for (const auto& l : s.local_candidates) s.checks.add(l, c);
  s.work_for_checks.set();
}

void end_remote_candidates(session& s) {
  if (std::exchange(s.remote_ended, true)) return;
  s.note("remote candidate", "end of candidates");
  s.work_for_checks.set();  // RFC 8838 §14: perhaps this was the last hope
}

}  // namespace strata::ice
