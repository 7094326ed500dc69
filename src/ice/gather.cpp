// Gathering candidates (RFC 8445 §5.1.1): the addresses of this machine, and what servers say they look like from outside.
#include <algorithm>

#include "async/combine.hpp"
#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "ice/priority.hpp"
#include "ice/session.hpp"
#include "ice/timing.hpp"
#include "stun/attributes.hpp"
#include "stun/message_writer.hpp"

namespace strata::ice {
namespace {

std::vector<network_address> addresses(session& s) {
  std::vector<network_address> all;
  for (const auto& i : s.host.interfaces()) {
    all.push_back({i.name, i.index, i.address, i.prefix_length, i.up, i.loopback, i.temporary, i.deprecated, i.multicast});
  }
  return all;
}

gather_options options_of(const session& s) {
  return {s.config.ipv6, s.config.allow_loopback, s.config.max_addresses, s.config.interfaces};
}

base::bytes binding_request(const stun::transaction_id& id) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::request, stun::method::binding}, id);
  w.fingerprint();
  return out;
}

std::optional<base::endpoint> mapped_address(const stun::message_view& m) {
  if (!m.is(stun::message_class::success, stun::method::binding)) return std::nullopt;
  if (const auto x = m.get<stun::xor_mapped_address>()) return x->endpoint;
  if (const auto plain = m.get<stun::mapped_address>()) return plain->endpoint;  // a server of RFC 3489
  return std::nullopt;
}

// RFC 8445 §5.1.1.2: a server-reflexive candidate.
async::task<> ask_server(session& s, std::shared_ptr<local_base> from, std::size_t server, base::duration rto) {
  auto& b = *from;
  const auto to = s.config.stun_servers[server];
  auto request = binding_request(b.transactions.new_id());
  auto answer = co_await b.transactions.transact(to, std::move(request), {.schedule = stun::retransmission::over_udp(rto)});
  if (!answer) {
    s.note("server " + to.to_string(), answer.error().message());
    co_return;
  }
  const auto mapped = mapped_address(answer->message());
  if (!mapped || mapped->address.family() != b.own.address.address.family() || mapped->port == 0) {
    s.note("server " + to.to_string(), "its answer has no usable mapped address");
    co_return;
  }
  b.answered_by.push_back(to);
  candidate c;
  c.type = candidate_type::server_reflexive;
  c.address = *mapped;
  c.base_address = b.own.address;
  c.related = b.own.address;
  c.foundation = s.local_foundations.of(c.type, b.own.address.address, to.address, transport::udp);
  // RFC 8445 §5.1.2.1: one preference for each candidate of a type; bases are far enough apart for this.
  c.priority =
      candidate_priority(c.type, static_cast<std::uint16_t>(b.local_preference() - std::min<std::size_t>(server, 255)));
  add_local_candidate(s, std::move(c));
}

// Every base asks every server, side by side, one new question every Ta (RFC 8445 §5.1.1.2, §14.2).
async::task<> ask_servers(session& s) {
  if (s.config.policy != candidate_policy::all) co_return;
  struct question {
    std::shared_ptr<local_base> from;
    std::size_t server;
  };
  std::vector<question> questions;
  for (std::size_t n = 0; n < s.config.stun_servers.size(); ++n)
    for (const auto& b : s.bases)
      if (!b->relayed && b->own.protocol == transport::udp &&
          worth_asking(b->own.address.address, s.config.stun_servers[n].address))
        questions.push_back({b, n});
  const auto rto = gather_rto(s.config.rto, s.pacing, questions.size());
  co_await async::with_scope(async::at_end::join, [&](async::scope& scope) -> async::task<> {
    for (const auto& q : questions) {
      scope.spawn("ice ask server", ask_server, std::ref(s), q.from, q.server, rto);
      co_await async::sleep_for(s.pacing);
    }
  });
}

// A port that the gateway forwards is a server-reflexive candidate that needs no punching; the gateway is its server.
async::task<> map_port(session& s, std::shared_ptr<local_base> b) {
  const auto outside = co_await s.config.map_port(b->own.address);
  if (!outside) {
    s.note("port mapping for " + b->own.address.to_string(), outside.error().message());
    co_return;
  }
  candidate c;
  c.type = candidate_type::server_reflexive;
  c.address = *outside;
  c.base_address = b->own.address;
  c.related = b->own.address;
  c.foundation = s.local_foundations.of(c.type, b->own.address.address, outside->address, transport::udp);
  c.priority = candidate_priority(c.type, static_cast<std::uint16_t>(b->local_preference() - 255));
  add_local_candidate(s, std::move(c));
}

async::task<> map_ports(session& s) {
  if (!s.config.map_port || s.config.policy != candidate_policy::all) co_return;
  co_await async::with_scope(async::at_end::join, [&s](async::scope& scope) -> async::task<> {
    for (const auto& b : s.bases)
      if (!b->relayed && b->own.address.address.is_v4() && b->own.address.address.is_private())
        scope.spawn("ice map port", map_port, std::ref(s), b);
    co_return;
  });
}

async::task<> ask_everybody(session& s) { co_await async::all_of(ask_servers(s), gather_relays(s), map_ports(s)); }

}  // namespace

bool network_changed(session& s) {
  if (s.ended() || !s.phases.gathering_began) return false;
  const auto all = addresses(s);
  const auto plan = plan_bases(all, options_of(s));
  // Only what is really gone: an address that is merely no longer preferred still carries what it carries.
  const auto gone = [&](const auto& b) {
    return !b->relayed &&
           std::ranges::none_of(all, [&](const network_address& a) { return a.up && a.address == b->own.address.address; });
  };
  std::vector<std::shared_ptr<local_base>> lost;
  std::ranges::copy_if(s.bases, std::back_inserter(lost), gone);
  const bool found = std::ranges::any_of(
      plan, [&](const planned_base& p) { return std::ranges::find(s.gathered_from, p.from.address) == s.gathered_from.end(); });
  for (const auto& b : lost) lose_base(s, *b, "its address is gone");
  return found || !lost.empty();
}

void open_bases(session& s) {
  s.phases.gathering_began = s.now();
  s.tracer(s.now(), trace::phase{trace::layer::ice, "gathering", true, {}});
  const auto all = addresses(s);
  const auto options = options_of(s);
  if (s.tracer.enabled()) {
    for (const auto& a : all)
      if (const auto why = why_not(a, all, options)) s.note("address " + a.address.to_string(), *why);
  }
  for (const auto& planned : plan_bases(all, options)) {
    s.gathered_from.push_back(planned.from.address);
    if (s.relay_only()) continue;
    auto socket = s.config.open_socket ? s.config.open_socket(planned.from.address, s.local.ufrag)
                                       : s.host.bind_udp({planned.from.address, 0});
    if (!socket) {  // an address that is still being checked for duplicates, or just went away
      s.note("address " + planned.from.address.to_string(), socket.error().message());
      continue;
    }
    auto b = std::make_shared<local_base>(s, std::move(*socket));
    auto& c = b->own;
    c.address = {planned.from.address, b->socket.local_endpoint().port};
    c.base_address = c.address;
    c.priority = candidate_priority(candidate_type::host, planned.local_preference);
    c.foundation = s.local_foundations.of(c.type, c.address.address, std::nullopt, transport::udp);
    add_base(s, std::move(b));
  }
  if (s.relay_only()) return;
  for (const auto& planned : plan_bases(all, options)) open_tcp_bases(s, planned);
}

void add_base(session& s, std::shared_ptr<local_base> b) {
  s.scope->spawn("ice receive", receive, std::ref(s), b);
  s.bases.push_back(std::move(b));
}

async::task<> gather(session& s) {
  const auto here = s.bases;
  for (const auto& b : here) add_local_candidate(s, b->own);
  // A dead server delays the end of candidates, and nothing else: checks run all the while.
  const auto in_time = co_await async::with_timeout(s.config.gather_limit, ask_everybody(s));
  end_gathering(s, in_time ? "every server has answered or failed" : "some servers did not answer in time");
}

// RFC 8445 §5.1.1.4: until the checks have found a path, whose traffic does it then, the mappings that the peer is told
// about are kept open.
async::task<> keep_mappings(session& s) {
  while (!s.ended()) {
    co_await async::sleep_for(s.config.reflexive_keepalive);
    if (s.state != agent_state::idle && s.state != agent_state::checking) continue;
    for (const auto& b : std::vector(s.bases))
      for (const auto& server : b->answered_by) {
        const stun::retransmission once{.rto = 500ms, .rc = 1, .last_wait = 500ms, .reliable = false};
        (void)co_await b->transactions.transact(server, binding_request(b->transactions.new_id()), {.schedule = once});
      }
  }
}

}  // namespace strata::ice
