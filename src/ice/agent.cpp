#include "ice/agent.hpp"

#include <cassert>

#include "async/scope.hpp"
#include "ice/session.hpp"

namespace strata::ice {
namespace {

// However run() ends, the agent is closed then: nothing is sent or called back any more.
class ending {
 public:
  explicit ending(session& s) noexcept : session_(s) {}
  ending(const ending&) = delete;
  ending& operator=(const ending&) = delete;
  ~ending() {
    end_gathering(session_, "closed");
    session_.set_state(agent_state::closed, "its work was cancelled");
    reconsider(session_, "closed");
    session_.closing.set();
    session_.bases.clear();
  }

 private:
  session& session_;
};

}  // namespace

agent::agent(net::host& host, agent_config config, trace::tracer tracer)
    : session_(std::make_unique<session>(host, std::move(config), std::move(tracer))) {}
agent::~agent() { assert(session_->bases.empty() && "run() has not ended"); }

async::task<> agent::run() {
  auto& s = *session_;
  if (s.ended()) co_return;
  s.on_datagram = [this](base::byte_view d) {
    if (on_datagram) on_datagram(d);
  };
  const ending at_end(s);
  co_await async::with_scope(async::at_end::cancel, [&s](async::scope& scope) -> async::task<> {
    s.scope = &scope;
    open_bases(s);
    scope.spawn("ice gather", gather, std::ref(s));
    scope.spawn("ice checks", run_checks, std::ref(s));
    scope.spawn("ice consent", keep_consent, std::ref(s));
    scope.spawn("ice names", resolve_names, std::ref(s));
    scope.spawn("ice mappings", keep_mappings, std::ref(s));
    co_await s.closing.wait();
  });
}

void agent::close() {
  auto& s = *session_;
  if (s.state == agent_state::closed) return;
  s.set_state(agent_state::closed, "closed by us");
  reconsider(s, "closed by us");
  s.closing.set();
}

const description& agent::local() const noexcept { return session_->local; }
const std::optional<description>& agent::remote() const noexcept { return session_->remote; }
std::vector<candidate> agent::local_candidates() const { return session_->local_candidates; }

async::task<std::optional<candidate>> agent::next_local_candidate() {
  auto& s = *session_;
  for (;;) {
    if (s.signaled < s.local_candidates.size()) co_return s.local_candidates[s.signaled++];
    if (s.gathering_done || s.state == agent_state::closed) co_return std::nullopt;
    co_await s.candidates_changed.wait();
  }
}

async::task<> agent::gathered() {
  auto& s = *session_;
  while (!s.gathering_done && s.state != agent_state::closed) co_await s.candidates_changed.wait();
}

void agent::set_controlling(bool controlling) {
  if (!session_->remote) session_->set_role(controlling, "told so");
}
bool agent::controlling() const noexcept { return session_->role.controlling; }

void agent::set_remote(description peer) { ice::set_remote(*session_, std::move(peer)); }
base::result<void> agent::add_remote_candidate(candidate c) { return ice::add_remote_candidate(*session_, std::move(c)); }

base::result<void> agent::add_remote_candidate(std::string_view line) {
  auto c = parse_candidate(line);
  if (c) return add_remote_candidate(std::move(*c));
  if (c.error() == make_error_code(errc::end_of_candidates)) {
    remote_end_of_candidates();
    return {};
  }
  session_->drop(session_->counts.dropped_candidates, "a candidate that cannot be read", {}, line.size());
  return base::fail(c.error());
}

void agent::remote_end_of_candidates() { end_remote_candidates(*session_); }

async::task<base::result<void>> agent::connected() {
  auto& s = *session_;
  for (;;) {
    switch (s.state) {
      case agent_state::connected:
      case agent_state::completed:
      case agent_state::disconnected: co_return base::result<void>();
      case agent_state::failed: co_return base::fail(errc::failed);
      case agent_state::closed: co_return base::fail(errc::closed);
      case agent_state::idle:
      case agent_state::checking: break;
    }
    co_await s.state_changed.wait();
  }
}

bool agent::network_changed() { return ice::network_changed(*session_); }

agent_state agent::state() const noexcept { return session_->state; }
std::string_view agent::reason() const noexcept { return session_->reason; }

async::task<agent_state> agent::next_state(agent_state seen) {
  auto& s = *session_;
  while (s.state == seen) co_await s.state_changed.wait();
  co_return s.state;
}

bool agent::send(base::byte_view datagram) {
  auto& s = *session_;
  auto* b = s.outlet.base;
  if (b == nullptr || !b->socket.send(s.outlet.remote, datagram)) {
    ++s.counts.dropped_unsent;
    return false;
  }
  if (std::exchange(s.at_rest, false)) s.work_for_consent.set();
  ++s.counts.datagrams_sent;
  s.counts.bytes_sent += datagram.size();
  if (s.tracer.enabled()) s.tracer(s.now(), trace::packet{trace::direction::sent, b->own.address, s.outlet.remote, datagram});
  return true;
}

std::optional<selected_pair> agent::selected() const {
  const auto& s = *session_;
  if (s.outlet.base == nullptr) return std::nullopt;
  const auto* p = s.valid.find(s.outlet.base->own.address, s.outlet.remote);
  if (p == nullptr) return std::nullopt;
  return selected_pair{p->local,
                       p->remote,
                       p->rtt,
                       p->nominated,
                       !p->nominated        ? ""
                       : p->nominated_by_us ? "us"
                                            : "the peer",
                       report(p->quality, s.now())};
}

bool agent::renominates() const noexcept { return session_->renominates(); }
std::size_t agent::alternatives() const noexcept { return ice::alternatives(*session_); }
const counters& agent::counts() const noexcept { return session_->counts; }
const phase_times& agent::phases() const noexcept { return session_->phases; }

std::vector<pair_report> agent::pairs() const {
  const auto& s = *session_;
  std::vector<pair_report> all;
  for (const auto& p : s.checks.pairs()) {
    const auto* v = s.valid.find(p.local.base_address, p.remote.address);
    all.push_back({p.local, p.remote, p.state, p.priority, v != nullptr, v != nullptr && v->nominated, p.checks, p.rtt,
                   v != nullptr ? report(v->quality, s.now()) : path_report{}, p.outcome});
  }
  return all;
}

}  // namespace strata::ice
