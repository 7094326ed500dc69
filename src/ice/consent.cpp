// Consent to send (RFC 7675): the peer has to say yes, again and again, on the pair that carries data. The same requests
// keep NATs open, so no separate keepalives are sent (RFC 8445 §11, RFC 7675 §4).
// exception: 8445-11-d no keepalive indications are sent
// exception: 8445-11-e no keepalive indications are sent
// exception: 8445-11-f no keepalive indications are sent
#include <algorithm>

#include "async/scope.hpp"
#include "ice/priority.hpp"
#include "ice/session.hpp"
#include "ice/silence.hpp"
#include "ice/timing.hpp"

namespace strata::ice {
namespace {

// The peer answered on this pair.
void confirm(session& s, const base::endpoint& base_address, const base::endpoint& remote, const stun::response& answer,
             std::uint32_t question) {
  auto* pair = s.valid.find(base_address, remote);
  if (pair == nullptr) return;  // RFC 7675 §5.1: too late; consent that has ended does not come back
  ++s.counts.consent_received;
  pair->confirmed = s.now();
  pair->rtt = answer.round_trip;
  pair->quality.answered(question, answer.round_trip);
  const bool in_use = s.outlet.base != nullptr && s.outlet.base->own.address == base_address && s.outlet.remote == remote;
  if (!in_use || !std::exchange(s.interrupted, false)) return;
  s.interrupted_since = base::never;
  reconsider(s, "the peer answers again");
}

// The pair may be asked again later, with a check of its own.
void forget(session& s, const valid_pair& pair, std::string_view why) {
  auto* checked = s.checks.find(pair.local.base_address, pair.remote.address);
  if (checked != nullptr && checked->state == pair_state::succeeded) s.set_pair_state(*checked, pair_state::failed, why);
}

// `silent_since`: other pairs that have been silent for as long are no way out.
void revoke(session& s, base::endpoint base_address, base::endpoint remote, std::string_view why,
            base::instant silent_since = {}) {
  const auto* pair = s.valid.find(base_address, remote);
  if (pair == nullptr) return;
  // RFC 7675 §5.1: what was lost on the nominated pair, only a new session brings back.
  // With renomination another pair takes its place, while there is one.
  const bool nominated = pair->nominated;
  forget(s, *pair, why);
  s.valid.remove(base_address, remote);
  for (const auto& silent : s.valid.remove_silent_since(silent_since)) forget(s, silent, why);
  const bool final = nominated && (!s.renominates() || s.valid.empty());
  if (final || (s.valid.empty() && s.checks.unfinished() == 0)) s.set_state(agent_state::failed, why);
  reconsider(s, why);
  s.work_for_checks.set();
}

// RFC 7675 §5.1: a Binding request of its own, sent once; an answer to any of them counts, however late, while consent lasts.
async::task<> ask(session& s, std::shared_ptr<local_base> b, base::endpoint remote) {
  const auto base_address = b->own.address;
  auto request = encode_check({check_username(s.remote->ufrag, s.local.ufrag), peer_reflexive_priority(b->own), s.role, false},
                              b->transactions.new_id(), *s.remote_key);
  ++s.counts.consent_sent;
  auto* asked = s.valid.find(base_address, remote);
  const auto question = asked == nullptr ? 0 : asked->quality.asked(s.now());
  const stun::retransmission once{.rto = 500ms, .rc = 1, .last_wait = s.config.consent_lifetime, .reliable = false};
  const auto answer = co_await b->transactions.transact(
      remote, std::move(request), {.schedule = once},
      [&s](const stun::message_view& m, const base::endpoint&) { return judge_response(m, *s.remote_key); });
  if (!answer) co_return;
  const auto read = read_answer(answer->message());
  if (!read) co_return;
  // RFC 7675 §5.2: the peer wants no more.
  if (read->error == 403) revoke(s, base_address, remote, "the peer revoked its consent (403)");
  else if (read->error == 0) confirm(s, base_address, remote, *answer, question);
}

// What is watched: the pair that carries data.
struct watch {
  local_base* base = nullptr;
  base::endpoint remote;
  base::instant next_ask = base::never, next_listen = base::never;
  silence_watch silence;
};

void follow_outlet(session& s, watch& w) {
  if (s.outlet.base == w.base && s.outlet.remote == w.remote) return;
  w = {s.outlet.base, s.outlet.remote, base::never, s.now(), {}};
  // A pair that was validated this moment has just been asked; another one may have been silent for long.
  if (const auto* pair = w.base == nullptr ? nullptr : s.valid.find(w.base->own.address, w.remote))
    w.next_ask = pair->confirmed + consent_delay(s.config.consent_interval, s.host.random_u64());
}

// Data without an answer is a reason to ask before it is due.
silence_watch::verdict listen(session& s, watch& w, const valid_pair& pair) {
  if (s.now() < w.next_listen && (s.at_rest || w.next_listen != base::never)) return {.look_again = w.next_listen};
  const auto heard = s.counts.datagrams_received + s.counts.consent_received;
  const auto verdict = w.silence.look(s.now(), s.counts.datagrams_sent, heard, pair.rtt);
  w.next_listen = verdict.look_again;
  s.at_rest = verdict.look_again == base::never;
  return verdict;
}

// One look at the clock: what is due, and when the next thing is.
base::instant look(session& s, watch& w, async::scope& asking) {
  auto* pair = w.base == nullptr ? nullptr : s.valid.find(w.base->own.address, w.remote);
  if (pair == nullptr) return base::never;
  const auto ends = consent_until(pair->confirmed, s.config.consent_lifetime);
  if (s.now() >= ends) {
    const auto silent_since = pair->confirmed;
    revoke(s, pair->local.base_address, pair->remote.address, "consent expired: the peer has not answered for 30 s",
           silent_since);
    return s.now();
  }
  const auto silence = listen(s, w, *pair);
  const auto interruption = interrupted_at(pair->confirmed, s.config.consent_interval);
  if (!s.interrupted && (silence.interrupted || s.now() >= interruption)) {
    s.interrupted = true;
    s.interrupted_since = s.now();
    s.work_for_checks.set();
    reconsider(s, silence.interrupted ? "data and checks stay without an answer" : "the peer has stopped answering");
  }
  if (silence.ask || s.now() >= w.next_ask) {
    asking.spawn("ice consent request", ask, std::ref(s), s.base_at(w.base->own.address), w.remote);
    w.next_ask = s.now() + consent_delay(s.config.consent_interval, s.host.random_u64());
  }
  return std::min({ends, w.next_ask, silence.look_again, s.interrupted ? base::never : interruption});
}

}  // namespace

async::task<> keep_consent(session& s) {
  co_await async::with_scope(async::at_end::cancel, [&s](async::scope& asking) -> async::task<> {
    watch w;
    while (!s.ended()) {
      s.work_for_consent.reset();
      follow_outlet(s, w);
      const auto wake = look(s, w, asking);
      if (!s.ended()) co_await set_or_late(s.work_for_consent, wake);
    }
  });
}

}  // namespace strata::ice
