#include "mesh/link.hpp"

#include <algorithm>

#include "mesh/glare.hpp"
#include "sdp/data_description.hpp"

namespace strata::mesh {
namespace {

constexpr auto attempt_limit = std::chrono::seconds(60);  // from the first step to the open channel
constexpr auto least_pause = std::chrono::milliseconds(500);
constexpr auto most_pause = std::chrono::seconds(30);
constexpr auto their_turn = std::chrono::seconds(5);  // the side that was called waits this much longer
constexpr auto patience_for_room = std::chrono::seconds(5);
constexpr auto ping_limit = std::chrono::seconds(10);
constexpr auto orderly_close_limit = std::chrono::seconds(1);
constexpr auto restart_patience = std::chrono::seconds(25);  // after consent has run out, before the connection is given up
constexpr std::size_t most_early_candidates = 64;
constexpr std::size_t most_pings = 256;
constexpr std::size_t most_pairs_told = 32;  // of an attempt, best first
constexpr std::string_view channel_label = "mesh";

std::size_t weight_of(const message& m) {
  return m.type.size() + m.request_id.size() + m.source_agent.size() + m.target_agent.size() + m.payload.dump().size() + 64;
}

base::json milliseconds_or_null(const std::optional<base::duration>& d) {
  return d ? base::json(base::milliseconds(*d)) : base::json();
}

}  // namespace

std::string_view to_string(link_state s) noexcept {
  switch (s) {
    case link_state::idle: return "idle";
    case link_state::offering: return "offering";
    case link_state::answering: return "answering";
    case link_state::connecting: return "connecting";
    case link_state::open: return "open";
    case link_state::waiting: return "waiting";
  }
  return "?";
}

link::link(link_environment& e, std::string peer)
    : environment_(e),
      peer_(std::move(peer)),
      tracer_(e.sink != nullptr ? trace::tracer(*e.sink, peer_) : trace::tracer()),
      outgoing_(link_queue_bytes, weight_of),
      pauses_(least_pause, most_pause) {}

async::task<> link::run() {
  for (;;) {
    if (!next_) {
      // Who called calls again. The other side waits longer, and then calls too: the caller may be gone for good and
      // back under another idea of who calls.
      const bool may_call = !away_ && counters_.attempts != 0;
      if (may_call) {
        set_state(link_state::waiting, reason_);
        co_await pause_or_intent(pauses_.next(environment_.host.random_u64()) +
                                 (caller_ ? base::duration::zero() : base::duration(their_turn)));
        if (!next_ && !away_) next_.emplace();
      } else {
        set_state(link_state::idle, reason_);
        co_await intent_changed_.wait();
      }
    }
    intent_changed_.reset();
    if (!next_) continue;
    intent i = std::move(*next_);
    next_.reset();
    co_await async::first_of(attempt(std::move(i)),
                             [](async::event& changed) -> async::task<> { co_await changed.wait(); }(intent_changed_));
  }
}

async::task<> link::pause_or_intent(base::duration pause) {
  co_await async::with_timeout(pause, [](async::event& changed) -> async::task<> { co_await changed.wait(); }(intent_changed_));
}

async::task<> link::attempt(intent i) {
  ++counters_.attempts;
  caller_ = !i.offer.has_value();
  who_ = std::move(i.who);
  auto options = environment_.connection_options();
  options.restart_patience = restart_patience;
  rtc::peer_connection pc(environment_.host, environment_.certificate, std::move(options), tracer_);
  struct current_guard {
    link& self;
    current_guard(link& l, rtc::peer_connection& p) : self(l) { self.current_ = &p; }
    ~current_guard() {
      self.current_ = nullptr;
      self.offer_outstanding_ = false;
      self.restart_offer_.reset();
    }
  } const guard(*this, pc);
  for (auto& c : std::exchange(early_candidates_, {}))
    if (i.offer) (void)pc.add_candidate(c.candidate);
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("peer connection", [&pc] { return pc.run(); });
    s.spawn("answer restarts", [this, &pc] { return answer_restarts(pc); });
    auto made = co_await async::with_timeout(attempt_limit, i.offer ? answer(pc, s, std::move(*i.offer)) : offer(pc, s));
    if (!made) remember(pc);
    if (made) co_await serve(pc, std::move(*made));
    else reason_ = pc.reason().empty() ? made.error().message() : pc.reason();
    pc.close();
    co_await async::with_timeout(orderly_close_limit, pc.closed());
  });
}

async::task<base::result<link::channel_pointer>> link::offer(rtc::peer_connection& pc, async::scope& s) {
  set_state(link_state::offering, "our call");
  auto channel = pc.create_channel({.label = std::string(channel_label)});
  auto sdp = co_await pc.create_offer();
  if (!sdp) co_return base::fail(sdp.error());
  offer_outstanding_ = true;
  if (!signal(signaling::kind::offer, own_offer(std::move(*sdp))))
    co_return base::fail(errc::not_connected, base::error::nowhere, "a registry connection");
  s.spawn("trickle", [this, &pc] { return trickle(pc); });
  const auto lost = [](async::event& e) -> async::task<> { co_await e.wait(); };
  const auto [up, undelivered] = co_await async::first_of(pc.connected(), lost(offer_lost_));
  if (!up) co_return base::fail(errc::not_connected, base::error::nowhere, "the peer at the registry");
  if (!*up) co_return base::fail(up->error());
  if (auto open = co_await channel->opened(); !open) co_return base::fail(open.error());
  co_return channel;
}

async::task<base::result<link::channel_pointer>> link::answer(rtc::peer_connection& pc, async::scope& s,
                                                              std::string their_offer) {
  set_state(link_state::answering, "their call");
  auto sdp = co_await pc.accept_offer(std::move(their_offer));
  if (!sdp) co_return base::fail(sdp.error());
  signal(signaling::kind::answer, own_answer(std::move(*sdp), who_.nonce));
  set_state(link_state::connecting, "answered");
  s.spawn("trickle", [this, &pc] { return trickle(pc); });
  if (auto up = co_await pc.connected(); !up) co_return base::fail(up.error());
  for (;;) {
    auto channel = co_await pc.accept_channel();
    if (!channel) co_return base::fail(rtc::errc::closed);
    if (channel->label() == channel_label) co_return channel;
    channel->close();  // only the channel that we know what to do with
  }
}

async::task<> link::trickle(rtc::peer_connection& pc) {
  while (auto line = co_await pc.next_candidate()) {
    signaling::candidate_payload c;
    c.candidate = std::move(*line);
    c.mid = "0";
    signal(signaling::kind::ice_candidate, signaling::to_payload(c));
  }
}

async::task<> link::serve(rtc::peer_connection& pc, channel_pointer c) {
  if (!meet()) co_return;
  ++counters_.opened;
  pc.channel_is_open();
  remember(pc);
  pauses_.reset();
  set_state(link_state::open, "channel open");
  environment_.on_open(peer_);
  struct closing {
    link& self;
    channel_pointer channel;
    ~closing() {
      self.set_state(link_state::waiting, self.reason_);
      self.forget_acknowledged(*channel);
      self.report_unsent();
      for (auto& [id, p] : self.pings_) p->answered.set();
      self.environment_.on_closed(self.peer_);
    }
  } const at_end{*this, c};
  reason_ = "replaced";
  if (!they_are_meshd_) pc.set_restart_patience(base::duration::zero());  // it would not understand
  co_await async::first_of(send_queued(c), receive_all(c), pc.closed(), keep_path(pc), carry_frames(pc), watch_path(pc));
  remember(pc);
  reason_ = pc.reason().empty() ? "the peer closed the channel" : pc.reason();
}

async::task<> link::send_queued(channel_pointer c) {
  while (auto m = co_await outgoing_.receive()) {
    auto text = m->to_json().dump();
    const auto size = text.size();
    sending_ = std::move(m);
    if (const auto sent = co_await c->send({base::to_bytes(text), true}); !sent) co_return;
    unacknowledged_.push_back({std::move(*sending_), size});
    unacknowledged_octets_ += size;
    sending_.reset();
    forget_acknowledged(*c);
    stuck_ = false;
    ++counters_.sent;
    counters_.bytes_sent += size;
  }
}

async::task<> link::receive_all(channel_pointer c) {
  while (auto m = co_await c->receive()) {
    ++counters_.received;
    counters_.bytes_received += m->data.size();
    co_await received(std::string(base::as_text(m->data)));
  }
}

async::task<> link::received(std::string text) {
  const auto v = base::json::parse(text);
  auto m = v ? message::from(*v) : base::result<message>(base::fail(v.error()));
  if (!m) {
    ++counters_.bad_messages;
    tracer_(environment_.host.now(), trace::drop{trace::layer::mesh, "bad mesh message", {}, text.size()});
    co_return;
  }
  if (they_are_meshd_ && m->type == "ping") {
    m->type = "pong";
    (void)outgoing_.try_send(std::move(*m));
    co_return;
  }
  if (they_are_meshd_ && m->type == "pong") {
    if (const auto at = pings_.find(m->request_id); at != pings_.end()) {
      at->second->round_trip = environment_.host.now() - at->second->sent;
      at->second->answered.set();
    }
    co_return;
  }
  co_await environment_.on_message(peer_, std::move(*m));
}

void link::offer_arrived(std::string sdp, base::json payload) {
  // A text that is no offer must not cost the connection that stands.
  const auto parsed = sdp::parse_data_description(sdp);
  if (!parsed) {
    ++counters_.bad_messages;
    tracer_(environment_.host.now(), trace::drop{trace::layer::sdp, "unusable offer", {}, sdp.size()});
    return;
  }
  judgement who;
  if (!admit(direction::offer, payload, *parsed, who)) return;
  read_capabilities(payload, who);
  away_ = false;
  if (take_restart(*parsed, sdp, who.nonce)) return;
  const bool both_offered = state_ == link_state::offering && offer_outstanding_;
  if (both_offered && settle_glare(environment_.own_id, peer_, they_are_meshd_) == glare::keep_ours) {
    tracer_(environment_.host.now(), trace::note{trace::layer::mesh, "glare", "both offered: ours is kept"});
    return;
  }
  next_ = intent{std::move(sdp), std::move(who)};
  early_candidates_.clear();
  intent_changed_.set();
}

void link::answer_arrived(std::string sdp, base::json payload) {
  if (current_ == nullptr || !current_->offer_outstanding() || next_) return;
  const auto parsed = sdp::parse_data_description(sdp);
  judgement who;
  if (parsed && !admit(direction::answer, payload, *parsed, who)) return;
  read_capabilities(payload, who);
  // The peer has lost the connection that we wanted to restart, and took our offer for a new one. Its keys are not ours.
  if (open() && parsed && !current_->continues(*parsed)) {
    tracer_(environment_.host.now(), trace::note{trace::layer::mesh, "restart", "the peer answers with another connection"});
    next_.emplace();
    intent_changed_.set();
    return;
  }
  if (const auto taken = current_->accept_answer(sdp); !taken) {
    ++counters_.bad_messages;
    tracer_(environment_.host.now(), trace::drop{trace::layer::sdp, "unusable answer", {}, sdp.size()});
    // The peer answered a restart with another connection: ours it has lost.
    if (taken.error() == make_error_code(rtc::errc::another_session)) {
      next_.emplace();
      intent_changed_.set();
    }
    return;
  }
  who_ = std::move(who);
  if (std::exchange(offer_outstanding_, false)) set_state(link_state::connecting, "answer arrived");
}

void link::candidate_arrived(signaling::candidate_payload c) {
  if (current_ != nullptr && !next_ && !restart_offer_) {
    if (const auto taken = current_->add_candidate(c.candidate); !taken) {
      ++counters_.bad_messages;
      tracer_(environment_.host.now(), trace::drop{trace::layer::ice, "unusable candidate", {}, c.candidate.size()});
    }
    return;
  }
  if (early_candidates_.size() < most_early_candidates) early_candidates_.push_back(std::move(c));
}

void link::call() {
  away_ = false;
  if (next_ || (state_ != link_state::idle && state_ != link_state::waiting)) return;
  next_.emplace();
  intent_changed_.set();
}

void link::peer_is_away() { away_ = true; }

void link::offer_undeliverable() {
  if (offer_outstanding_) {
    away_ = true;  // whoever comes to the registry calls those it finds there
    offer_outstanding_ = false;
    offer_lost_.pulse();
  } else if (current_ != nullptr && current_->offer_outstanding()) {
    current_->rollback("the peer is not at the registry");
  }
}

void link::hang_up() {
  away_ = true;
  reason_ = "hung up";
  if (current_ != nullptr) current_->close();
}

async::task<base::result<void>> link::send(message m) {
  if (!open()) co_return base::fail(errc::not_connected);
  if (m.to_json().dump().size() > largest_message)
    co_return base::fail(errc::too_large, largest_message, "at most 65536 bytes");
  if (outgoing_.try_send(m)) co_return base::result<void>();
  if (stuck_) co_return base::fail(errc::queue_full);
  const auto sent = co_await async::with_timeout(patience_for_room, [](link& self, message m2) -> async::task<bool> {
    co_return co_await self.outgoing_.send(std::move(m2));
  }(*this, std::move(m)));
  if (sent && *sent) co_return base::result<void>();
  stuck_ = true;
  co_return base::fail(open() ? errc::queue_full : errc::not_connected);
}

async::task<base::result<base::duration>> link::ping() {
  if (!open()) co_return base::fail(errc::not_connected);
  if (!they_are_meshd_) co_return base::fail(base::errc::unsupported, base::error::nowhere, "a peer that answers pings");
  if (pings_.size() >= most_pings) co_return base::fail(errc::queue_full);
  const auto id = "ping-" + std::to_string(next_ping_++);
  auto pending = std::make_shared<pending_ping>();
  pending->sent = environment_.host.now();
  struct registered {
    link& self;
    const std::string& id;
    ~registered() { self.pings_.erase(id); }
  } const entry{*this, id};
  pings_.emplace(id, pending);
  message m;
  m.type = "ping";
  m.request_id = id;
  if (!outgoing_.try_send(std::move(m))) co_return base::fail(errc::queue_full);
  co_await async::with_timeout(ping_limit,
                               [](std::shared_ptr<pending_ping> p) -> async::task<> { co_await p->answered.wait(); }(pending));
  if (!pending->round_trip)
    co_return base::fail(open() ? make_error_code(base::errc::timed_out) : make_error_code(errc::not_connected));
  if (round_trips_.size() < most_round_trips) {
    round_trips_.push_back(*pending->round_trip);
  } else {
    round_trips_[oldest_round_trip_] = *pending->round_trip;
    oldest_round_trip_ = (oldest_round_trip_ + 1) % most_round_trips;
  }
  co_return *pending->round_trip;
}

void link::forget_acknowledged(const datachannel::channel& c) {
  const auto outstanding = c.buffered_amount();
  while (!unacknowledged_.empty() && unacknowledged_octets_ - unacknowledged_.front().octets >= outstanding) {
    unacknowledged_octets_ -= unacknowledged_.front().octets;
    unacknowledged_.pop_front();
  }
}

// What the peer has not acknowledged may have arrived all the same; nobody can know.
void link::report_unsent() {
  const auto report = [this](const message& m) {
    if (!they_are_meshd_ || (m.type != "ping" && m.type != "pong")) environment_.on_unsent(peer_, m);
  };
  for (const auto& u : unacknowledged_) report(u.what);
  unacknowledged_.clear();
  unacknowledged_octets_ = 0;
  if (sending_) report(*sending_);
  sending_.reset();
  stuck_ = false;
  while (auto m = outgoing_.try_receive()) report(*m);
}

bool link::signal(signaling::kind what, base::json payload) {
  signaling::message m;
  m.what = what;
  m.target_id = peer_;
  m.payload = std::move(payload);
  return environment_.signal(std::move(m));
}

void link::set_state(link_state next, std::string_view reason) {
  if (next == state_) return;
  tracer_(environment_.host.now(), trace::state_change{trace::layer::mesh, "link", to_string(state_), to_string(next), reason});
  state_ = next;
}

base::json link::describe(rtc::peer_connection& pc) const {
  const auto& t = pc.phases();
  base::json c;
  c.set("state", to_string(pc.state()));
  c.set("phases_ms", base::json::make({{"signaling", milliseconds_or_null(t.described)},
                                       {"gathering", milliseconds_or_null(t.gathered)},
                                       {"checks", milliseconds_or_null(t.paired)},
                                       {"dtls", milliseconds_or_null(t.dtls)},
                                       {"sctp", milliseconds_or_null(t.sctp)},
                                       {"channel", milliseconds_or_null(t.channel)}}));
  const auto side = [](const ice::candidate& k) {
    return base::json::make({{"type", ice::to_string(k.type)}, {"address", k.address.to_string()}});
  };
  if (const auto pair = pc.ice().selected()) {
    c.set("local", side(pair->local));
    c.set("remote", side(pair->remote));
  }
  base::json::array tried;
  for (const auto& p : pc.ice().pairs()) {
    if (tried.size() == most_pairs_told) break;
    tried.push_back(base::json::make({{"local", side(p.local)},
                                      {"remote", side(p.remote)},
                                      {"state", ice::to_string(p.state)},
                                      {"nominated", p.nominated},
                                      {"checks", p.checks},
                                      {"rtt_ms", milliseconds_or_null(p.rtt)},
                                      {"reason", p.outcome}}));
  }
  c.set("pairs", std::move(tried));
  return c;
}

base::json link::status() const {
  auto sorted = round_trips_;
  std::sort(sorted.begin(), sorted.end());
  const auto percentile = [&](std::size_t p) {
    return sorted.empty() ? base::json()
                          : base::json(base::milliseconds(sorted[std::min(sorted.size() - 1, sorted.size() * p / 100)]));
  };
  return base::json::make(
      {{"peer", peer_},
       {"alias", alias_},
       {"identity", identity_status()},
       {"state", to_string(state_)},
       {"reason", reason_},
       {"we_called", caller_},
       {"connection", open() && current_ != nullptr ? describe(*current_) : connection_},
       {"path", path_status()},
       {"rtt_ms", base::json::make({{"p50", percentile(50)}, {"p99", percentile(99)}, {"samples", sorted.size()}})},
       {"attempts", counters_.attempts},
       {"restarts", open() && current_ != nullptr ? current_->path().restarts() : 0u},
       {"opened", counters_.opened},
       {"messages_sent", counters_.sent},
       {"messages_received", counters_.received},
       {"bytes_sent", counters_.bytes_sent},
       {"bytes_received", counters_.bytes_received},
       {"bad_messages", counters_.bad_messages}});
}

}  // namespace strata::mesh
