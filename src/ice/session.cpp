#include "ice/session.hpp"

#include <array>
#include <cassert>
#include <utility>

#include "async/combine.hpp"
#include "async/sleep.hpp"
#include "ice/priority.hpp"
#include "ice/timing.hpp"

namespace strata::ice {
namespace {

description draw_description(net::host& h, const agent_config& c) {
  std::array<std::uint8_t, description_random_bytes> random{};
  h.random(random);
  auto d = make_description(random);
  if (c.pacing != 50ms) d.pacing = c.pacing;  // RFC 8445 §14.2: another value than the default is signaled
  d.renomination = c.renomination;
  return d;
}

async::task<> set(async::event& e) { co_await e.wait(); }
async::task<> late(base::instant deadline) { co_await async::sleep_until(deadline); }

}  // namespace

std::string_view to_string(agent_state s) noexcept {
  switch (s) {
    case agent_state::idle: return "idle";
    case agent_state::checking: return "checking";
    case agent_state::connected: return "connected";
    case agent_state::completed: return "completed";
    case agent_state::disconnected: return "disconnected";
    case agent_state::failed: return "failed";
    case agent_state::closed: return "closed";
  }
  return "?";
}

local_base::local_base(session& s, std::unique_ptr<net::udp_socket> from)
    : bound(std::move(from)),
      socket(*bound),
      transactions(s.host,
                   [this, &s](const base::endpoint& to, base::byte_view message) { return s.transmit(*this, to, message); }) {}

local_base::local_base(session& s, std::unique_ptr<relay> r)
    : relayed(std::move(r)),
      socket(relayed->socket()),
      transactions(s.host,
                   [this, &s](const base::endpoint& to, base::byte_view message) { return s.transmit(*this, to, message); }) {}

std::uint16_t local_base::local_preference() const noexcept { return local_preference_of(own.priority); }

session::session(net::host& h, agent_config c, trace::tracer t)
    : host(h),
      config(std::move(c)),
      tracer(std::move(t)),
      local(draw_description(h, config)),
      local_key(stun::short_term_key(local.pwd)),
      role{config.controlling, h.random_u64()},
      pacing(agree_on_pacing(config.pacing, config.pacing)),
      checks(config.max_pairs, config.controlling) {}

std::shared_ptr<local_base> session::base_at(const base::endpoint& address) noexcept {
  for (auto& b : bases)
    if (b->own.address == address) return b;
  return nullptr;
}

void session::set_state(agent_state next, std::string_view why) {
  if (next == state) return;
  tracer(now(), trace::state_change{trace::layer::ice, "agent", to_string(state), to_string(next), why});
  const bool first_connection = !phases.connected && (next == agent_state::connected || next == agent_state::completed);
  state = next;
  reason = why;
  if (first_connection) {
    phases.connected = now();
    tracer(now(), trace::phase{trace::layer::ice, "checks", false, why});
  }
  if (next == agent_state::completed && !phases.completed) phases.completed = now();
  if (next == agent_state::failed && !phases.connected && phases.checks_began)
    tracer(now(), trace::phase{trace::layer::ice, "checks", false, why});
  state_changed.pulse();
  candidates_changed.pulse();
  work_for_checks.set();
  work_for_consent.set();
}

void session::set_pair_state(candidate_pair& p, pair_state next, std::string_view why) {
  if (next == pair_state::succeeded || next == pair_state::failed) p.outcome = why;
  if (next == p.state) return;
  if (tracer.enabled()) {
    const auto subject = "pair " + std::to_string(p.id.value) + " " + p.describe();
    tracer(now(), trace::state_change{trace::layer::ice, subject, to_string(p.state), to_string(next), why});
  }
  checks.set_state(p, next);
}

// RFC 8445 §7.2.5.1, §7.3.1.1: the order of the pairs depends on the role.
void session::set_role(bool controlling, std::string_view why) {
  if (role.controlling == controlling) return;
  role.controlling = controlling;
  checks.set_controlling(controlling);
  valid.set_controlling(controlling);
  note("role", std::string(controlling ? "controlling: " : "controlled: ") += why);
}

bool session::transmit(local_base& from, const base::endpoint& to, base::byte_view message) {
  // Checks are known by their transaction id: one that was stopped is not sent again, repetitions are counted.
  if (message.size() >= stun::header_size) {
    stun::transaction_id id;
    std::copy_n(message.begin() + 8, id.size(), id.begin());
    if (const auto found = in_flight.find(id); found != in_flight.end()) {
      if (found->second.silent) return false;
      if (found->second.transmissions++ > 0) {
        ++counts.retransmissions;
        if (auto* p = checks.find(found->second.pair); p != nullptr && !std::exchange(p->doubtful, true)) work_for_checks.set();
      }
    }
  }
  tracer(now(), trace::packet{trace::direction::sent, from.own.address, to, message});
  return from.socket.send(to, message);
}

void session::note(std::string_view subject, std::string_view text) const {
  tracer(host.now(), trace::note{trace::layer::ice, subject, text});
}

void session::drop(std::uint64_t& counter, std::string_view why, const base::endpoint& from, std::size_t size) {
  ++counter;
  tracer(now(), trace::drop{trace::layer::ice, why, from, size});
}

void session::invariant() const {
#ifndef NDEBUG
  checks.invariant();
  const bool usable = state == agent_state::connected || state == agent_state::completed || state == agent_state::disconnected;
  assert(usable == (outlet.base != nullptr));
  assert(state != agent_state::completed || valid.any_nominated());
  assert(state != agent_state::idle || !remote);
#endif
}

async::task<> set_or_late(async::event& e, base::instant deadline) {
  if (deadline == base::never) co_await e.wait();
  else co_await async::first_of(set(e), late(deadline));
}

}  // namespace strata::ice
