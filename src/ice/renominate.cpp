// Renomination's part of the agent: the rule is told of every pair, and what it says is done.
#include <algorithm>

#include "ice/session.hpp"

namespace strata::ice {
namespace {

bool is_relayed(const candidate_pair& p) {
  return p.local.type == candidate_type::relayed || p.remote.type == candidate_type::relayed;
}

std::vector<path_view> look(const session& s) {
  std::vector<path_view> paths;
  for (const auto& p : s.checks.pairs()) {
    path_view v{.id = p.id, .priority = p.priority, .relayed = is_relayed(p), .selected = is_in_use(s, p)};
    v.asked = p.last_check;
    // Where nobody was signaled to be, and nobody has ever answered, there is nobody: it may have been a replay.
    const bool known = p.answered || p.remote.type != candidate_type::peer_reflexive;
    v.failed = known && p.state == pair_state::failed && !p.triggered;
    if (const auto* valid = s.valid.find(p.local.base_address, p.remote.address)) {
      v.valid = p.state == pair_state::succeeded;
      v.answered = valid->confirmed;
      v.rtt = valid->quality.rtt();
      v.samples = valid->quality.samples();
      v.loss = valid->quality.loss(s.now());
    }
    paths.push_back(v);
  }
  return paths;
}

renomination_input input(const session& s) { return {s.now(), s.interrupted_since, s.nominated_at}; }

renomination_timing timing(const session& s) {
  renomination_timing t;
  t.give_up_after = std::min<base::duration>(s.config.consent_lifetime, 30s);  // RFC 7675 §5.1: data may go there no longer
  return t;
}

void give_up(session& s, pair_id id) {
  auto& p = *s.checks.find(id);
  s.valid.remove(p.local.base_address, p.remote.address);
  s.set_pair_state(p, pair_state::failed, "no answer any more");
}

}  // namespace

bool is_in_use(const session& s, const candidate_pair& p) {
  return s.outlet.base != nullptr && p.local.base_address == s.outlet.base->own.address && p.remote.address == s.outlet.remote;
}

base::instant consider_renomination(session& s) {
  if (!s.renominates()) return base::never;
  auto d = decide_renomination(look(s), input(s), timing(s));
  if (!d.nominate && s.disputed && s.outlet.base != nullptr)
    if (const auto* used = s.checks.find(s.outlet.base->own.address, s.outlet.remote); used != nullptr)
      d = {.nominate = used->id, .why = "the peer may have heard of another one"};
  if (!d.nominate) return d.look_again;
  auto& pair = *s.checks.find(*d.nominate);
  s.nominating = true;
  s.checks.trigger(pair, true);
  if (s.tracer.enabled()) s.note("renomination", pair.describe() + ": " + std::string(d.why));
  return base::never;
}

due_probe consider_probes(session& s) {
  if (!s.renominates() || !s.valid.any_nominated()) return {};
  for (;;) {
    const auto d = next_probe(look(s), input(s), timing(s));
    if (!d.give_up) return {d.ask, d.look_again};
    give_up(s, *d.give_up);
  }
}

std::size_t alternatives(const session& s) {
  return static_cast<std::size_t>(std::ranges::count_if(s.valid.pairs(), [&](const valid_pair& v) {
    return s.outlet.base != nullptr &&
           (v.local.base_address != s.outlet.base->own.address || v.remote.address != s.outlet.remote);
  }));
}

}  // namespace strata::ice
