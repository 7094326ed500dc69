// One connectivity check, the client's side (RFC 8445 §7.2). The pair is looked up again after every wait: it may have
// been removed, checked anew or decided meanwhile.
#include <algorithm>

#include "ice/priority.hpp"
#include "ice/session.hpp"
#include "ice/timing.hpp"

namespace strata::ice {
namespace {

// The transaction in the agent's table, for as long as check() runs.
class in_flight {
 public:
  in_flight(session& s, const stun::transaction_id& id, pair_id pair, std::uint32_t number) : session_(s), id_(id) {
    session_.in_flight[id_] = {pair, number, 0, false};
  }
  in_flight(const in_flight&) = delete;
  in_flight& operator=(const in_flight&) = delete;
  ~in_flight() { session_.in_flight.erase(id_); }

 private:
  session& session_;
  stun::transaction_id id_;
};

void fail_pair(session& s, candidate_pair& p, std::string_view why) {
  ++s.counts.checks_failed;
  s.set_pair_state(p, pair_state::failed, why);
}

// §7.2.5.3.4: the pair that we nominated is not to be used. Whether the session goes on depends on what else is valid.
void fail_nominee(session& s, candidate_pair& p, const std::string& why) {
  s.disputed = s.renominates();
  // The pair in use was named again, to settle such a dispute: it is for consent to say whether it lives.
  if (s.disputed && is_in_use(s, p)) return;
  s.valid.remove(p.local.base_address, p.remote.address);
  fail_pair(s, p, why);
  if (s.valid.empty() && s.checks.unfinished() == 0)
    s.set_state(agent_state::failed, "the pair that we nominated does not work");
  reconsider(s, "the nomination failed: " + why);
}

// §7.2.5.2.3, §7.3.1.4: only the newest check of a pair can fail it by staying without an answer.
void unanswered(session& s, candidate_pair& p, std::uint32_t number, bool nominate, const base::error& why) {
  if (p.current_check != number) return;
  const auto text =
      why == make_error_code(base::errc::timed_out) ? std::string("no answer") : "no valid answer: " + why.message();
  if (nominate) fail_nominee(s, p, text);
  else if (p.state == pair_state::in_progress) fail_pair(s, p, text);
}

// §7.2.5.1: the peer has our role, and insists on it.
void role_conflict(session& s, candidate_pair& p, bool sent_as_controlling) {
  ++s.counts.role_conflicts;
  if (s.role.controlling == sent_as_controlling) s.set_role(!sent_as_controlling, "the peer insists on its role (487)");
  s.role.tie_breaker = s.host.random_u64();
  if (p.state != pair_state::succeeded) s.set_pair_state(p, pair_state::waiting, "role conflict");
  s.checks.trigger(p);
}

// §7.2.5.2.4
void refused(session& s, candidate_pair& p, std::uint32_t number, bool nominate, int code) {
  if (p.current_check != number) return;
  const auto text = "error " + std::to_string(code);
  if (nominate) fail_nominee(s, p, text);  // §7.3.1.5 lets the peer refuse
  else if (p.state == pair_state::in_progress) fail_pair(s, p, text);
}

// §7.2.5.3.1: the peer saw an address that we do not know: we are behind a NAT that no server showed us.
const candidate& mapped_candidate(session& s, const local_base& b, const base::endpoint& mapped, std::uint32_t sent_priority) {
  const auto is_it = [&](const candidate& c) { return c.address == mapped && c.base_address == b.own.address; };
  if (const auto c = std::ranges::find_if(s.local_candidates, is_it); c != s.local_candidates.end()) return *c;
  if (const auto c = std::ranges::find_if(s.discovered, is_it); c != s.discovered.end()) return *c;
  // A peer that answers every check with another address shall not fill our memory.
  constexpr std::size_t most_discovered = 64;
  if (s.discovered.size() == most_discovered) s.discovered.erase(s.discovered.begin());
  auto& c = s.discovered.emplace_back();
  c.type = candidate_type::peer_reflexive;
  c.address = mapped;
  c.base_address = b.own.address;
  c.related = b.own.address;
  c.priority = sent_priority;
  c.protocol = b.own.protocol;  // RFC 6544 §7.1
  c.tcptype = b.own.tcptype;
  c.foundation = s.local_foundations.of(c.type, b.own.address.address, std::nullopt, c.protocol);
  if (s.tracer.enabled()) s.note("local candidate", c.describe());
  return c;
}

struct sent_check {
  bool controlling, nominate;
  std::uint32_t nomination, priority;
  std::optional<std::uint32_t> question;  // its number, when the pair was valid
};

void measure(valid_pair& v, std::optional<std::uint32_t> question, const stun::response& answer, base::instant now) {
  auto& q = v.quality;
  if (answer.transmissions == 1) q.answered(question ? *question : q.asked(now - answer.round_trip), answer.round_trip);
  else q.answered_after(answer.transmissions - (question ? 1 : 0), now);
}

// The RFC's patience is for finding a path. Where one is in use another answers soon, or is asked again later.
// Who was not signaled and has not answered yet may be somebody else, in whose name a check was sent: it is asked twice. A
// peer that is there sends its own check again, and each of them makes us ask anew.
stun::retransmission schedule_of(purpose why, const candidate_pair& pair, base::duration rto, bool any_nominated) {
  const auto p = pair.local.protocol;
  if (p == transport::tcp) return stun::retransmission::over_tcp(any_nominated ? base::duration(8s) : base::duration(39'500ms));
  auto r = stun::retransmission::over_udp(rto);
  if (!pair.answered && pair.remote.type == candidate_type::peer_reflexive) r.rc = 2;
  if (why == purpose::probe) r.rc = 1, r.last_wait = 4s;
  else if (why == purpose::nominate && any_nominated) r.rc = 3, r.last_wait = 1s;
  return r;
}

// §7.2.5.3
void succeeded(session& s, local_base& b, candidate_pair& p, const sent_check& sent, const base::endpoint& mapped,
               const stun::response& answer) {
  ++s.counts.checks_succeeded;
  p.answered = true;
  if (answer.transmissions == 1) p.rtt = answer.round_trip;
  // §7.2.5.3.2: what was checked may be another pair than what turned out to be valid; the path is the same.
  const auto& local = mapped_candidate(s, b, mapped, sent.priority);
  const bool by_peer = !s.role.controlling && std::exchange(p.nominate_on_success, false);
  const bool by_us = s.role.controlling && sent.nominate;
  const auto priority = local.address == local.base_address ? p.priority : pair_priority(s.role.controlling, local, p.remote);
  const auto nomination = by_us ? sent.nomination : by_peer ? p.nomination : 0;
  auto& v = s.valid.add({.checked = p.id,
                         .local = local,
                         .remote = p.remote,
                         .priority = priority,
                         .nominated = by_us || by_peer,
                         .nominated_by_us = by_us,
                         .confirmed = s.now(),
                         .rtt = p.rtt,
                         .nomination = nomination});
  measure(v, sent.question, answer, s.now());
  if (!s.first_valid) s.first_valid = s.now();
  // §7.2.5.3.3
  s.set_pair_state(p, pair_state::succeeded, "succeeded");
  const auto base_address = p.local.base_address;
  const auto remote = p.remote.address;
  s.checks.unfreeze(p.foundation());
  // §7.2.5.3.4
  if (by_us) nominated(s, "we nominated the pair");
  if (by_peer) nominated(s, "the peer nominated the pair before our check was answered");
  reconsider(s, "a check succeeded");
  deliver_parked(s, base_address, remote);
}

}  // namespace

void silence(session& s, pair_id id) {
  for (auto& [transaction, check] : s.in_flight)
    if (check.pair == id) check.silent = true;
}

async::task<> check(session& s, pair_id id, purpose why) {
  auto* pair = s.checks.find(id);
  const auto b = pair == nullptr ? nullptr : s.base_at(pair->local.base_address);
  if (b == nullptr) co_return;

  // §7.2.2, §7.1: who asks whom, with which rights.
  const auto number = pair->current_check;
  const auto to = pair->remote.address;
  const auto sent_as = s.role;
  const auto sent_priority = peer_reflexive_priority(pair->local);
  const bool nominate = why == purpose::nominate;
  const auto nomination = nominate && s.renominates() && sent_as.controlling ? s.nominations.next() : 0;
  const auto began = s.now();
  auto* known = s.valid.find(pair->local.base_address, to);
  const auto question = known == nullptr ? std::nullopt : std::optional(known->quality.asked(began));
  const auto transaction = b->transactions.new_id();
  auto request = encode_check({check_username(s.remote->ufrag, s.local.ufrag), sent_priority, sent_as, nominate, nomination},
                              transaction, *s.remote_key);
  const auto rto =
      check_rto(s.config.rto, s.pacing, s.checks.count(pair_state::waiting), s.checks.count(pair_state::in_progress));
  const in_flight here(s, transaction, id, number);
  ++s.counts.checks_sent;

  auto answer = co_await b->transactions.transact(
      to, std::move(request), {.schedule = schedule_of(why, *pair, rto, s.valid.any_nominated()), .match_source = false},
      [&s](const stun::message_view& m, const base::endpoint&) { return judge_response(m, *s.remote_key); });

  if (nominate) s.nominating = false;  // whatever it came to
  pair = s.checks.find(id);
  if (pair == nullptr || s.ended()) co_return;
  const auto read = answer ? read_answer(answer->message()) : base::result<check_answer>(base::fail(answer.error()));
  if (!read) {
    unanswered(s, *pair, number, nominate, read.error());
  } else if (answer->from != to) {
    // §7.2.5.2.1: an answer from elsewhere proves nothing about this pair.
    const auto text = "answered from " + answer->from.to_string();
    if (nominate) fail_nominee(s, *pair, text);
    else if (pair->current_check == number && pair->state == pair_state::in_progress) fail_pair(s, *pair, text);
  } else if (read->error == 487) {
    role_conflict(s, *pair, sent_as.controlling);
  } else if (read->error != 0) {
    refused(s, *pair, number, nominate, read->error);
  } else {
    if (nominate) s.disputed = false;
    succeeded(s, *b, *pair, {sent_as.controlling, nominate, nomination, sent_priority, question}, read->mapped, *answer);
  }
  s.work_for_checks.set();
}

}  // namespace strata::ice
