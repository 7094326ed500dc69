#include "mesh/node.hpp"

#include <algorithm>

#include "base/endpoint.hpp"

namespace strata::mesh {
namespace {

constexpr auto name_patience = std::chrono::milliseconds(500);
constexpr auto network_settles = std::chrono::milliseconds(300);
constexpr auto farewell_limit = std::chrono::milliseconds(1500);
constexpr std::size_t most_links = 4096;

trace::tracer tracer_for(trace::sink* sink) { return sink != nullptr ? trace::tracer(*sink, {}) : trace::tracer(); }

signaling::session_config with_registration(signaling::session_config c, const std::string& agent_id) {
  c.registration = base::json::make({{"caps", base::json::array{"events", "tasks", "strata-1"}}});
  if (!agent_id.empty()) c.registration.set("alias", agent_id + "-sidecar");
  return c;
}

}  // namespace

node::node(net::host& h, node_config c, trace::sink* sink)
    : host_(h),
      config_(std::move(c)),
      tracer_(tracer_for(sink)),
      session_(h, with_registration(config_.signaling, config_.agent_id), tracer_),
      ipc_(h, config_.ipc_path,
           {.on_command = [this](ipc_session& s, command cmd) { return handle(s, std::move(cmd)); },
            .on_attached = [this](ipc_session& s) { greet(s); }},
           tracer_),
      environment_{.host = h,
                   .sink = sink,
                   .own_id = {},
                   .own_alias = config_.agent_id.empty() ? std::string() : config_.agent_id + "-sidecar",
                   .plain = config_.plain,
                   .identity = config_.identity,
                   .known = known_,
                   .keep = [this](store::changes changes) { keep(std::move(changes)); },
                   .on_refused = [this](std::string_view peer, std::string_view why) { tell_refused(peer, why); },
                   .certificate = dtls::certificate::generate([&h](base::byte_span out) { h.random(out); }, h.wall_now()),
                   .connection_options = {},
                   .can_signal = [this] { return session_.state() == signaling::session_state::registered; },
                   .doubt_signaling = [this] { session_.doubt(); },
                   .signal = {},
                   .on_open = {},
                   .on_closed = {},
                   .on_unsent = {},
                   .on_message = {}},
      conversing_{.host = h,
                  .tracer = tracer_,
                  .store = config_.store,
                  .incoming = incoming_,
                  .hand_over = [this](std::string peer, delivery d) { return take_delivery(std::move(peer), std::move(d)); },
                  .on_outcome = [this](std::string_view peer, const outcome& o) { tell_outcome(peer, o); },
                  .link =
                      [this](std::string_view peer) {
                        const auto* l = find(peer);
                        return l != nullptr ? l->facts() : link_facts();
                      },
                  .want_link =
                      [this](std::string_view peer) {
                        // One that waits between two attempts comes back by itself: each costs the servers work, and
                        // messages may come by the hundred.
                        if (!session_.registered() || !present_.contains(peer) || scope_ == nullptr) return;
                        if (auto& l = link_to(std::string(peer)); l.state() == link_state::idle) l.call();
                      },
                  .can_mail = [this](std::string_view peer) { return session_.registered() && present_.contains(peer); },
                  .mail = [this](std::string peer,
                                 std::vector<base::bytes> frames) { return mail(std::move(peer), std::move(frames)); }} {
  if (config_.udp_port || config_.port_mapping)
    ports_ = std::make_unique<ice::shared_ports>(h, config_.udp_port.value_or(0), ice::shared_port_options{}, tracer_);
  if (config_.port_mapping) mapper_ = std::make_unique<portmap::mapper>(h, portmap::mapper_config{}, tracer_);
  environment_.connection_options = [this] {
    rtc::options o;
    o.ice.stun_servers = stun_servers_;
    o.ice.policy = config_.policy;
    o.ice.tcp = config_.tcp;
    o.ice.renomination = true;
    if (ports_)
      o.ice.open_socket = [this](const base::ip_address& local, std::string_view ufrag) { return ports_->open(local, ufrag); };
    if (mapper_) o.ice.map_port = [this](base::endpoint inside) { return map_port(inside); };
    for (const auto& t : servers_.turn)
      if (auto s = turn::server_from_uri(t.uri, t.username, t.credential)) {
        s->trust_file = config_.signaling.trust_file;
        o.turn_servers.push_back(std::move(*s));
      }
    o.ice.allow_loopback = config_.allow_loopback;
    o.ice.interfaces = config_.interfaces;
    return o;
  };
  environment_.signal = [this](signaling::message m) { return session_.send(std::move(m)); };
  environment_.on_open = [this](std::string_view peer) { ipc_.announce(peer_event("peer_connected", find(peer)->shown_as())); };
  environment_.on_closed = [this](std::string_view peer) {
    ipc_.announce(peer_event("peer_disconnected", find(peer)->shown_as()));
  };
  environment_.on_unsent = [this](std::string_view peer, const message& m) {
    command c;
    c.target_peer = find(peer)->shown_as();
    c.message = m;
    refuse(nullptr, c, "the connection ended before the message was acknowledged");
  };
  environment_.on_message = [this](std::string peer, message m) { return deliver(std::move(peer), std::move(m)); };
  environment_.carry_frames = [this](std::string peer, std::shared_ptr<datachannel::channel> small,
                                     std::shared_ptr<datachannel::channel> bulk) {
    return conversation_with(peer).carry(std::move(small), std::move(bulk));
  };
  environment_.on_path = [this](std::string_view peer) { look_again(peer); };
}

base::result<void> node::listen() { return ipc_.listen(); }

async::task<> node::run() {
  co_await async::first_of(serve(), [](node& self) -> async::task<> {
    co_await self.stop_.wait();
    co_await self.hang_up();
  }(*this));
}

async::task<> node::serve() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    scope_ = &s;
    for (auto& [peer, c] : conversations_) s.spawn("conversation", [&conversation = *c] { return conversation.run(); });
    s.spawn("local socket", [this] { return ipc_.run(); });
    s.spawn("servers", [this] { return follow_servers(); });
    s.spawn("credentials", [this] { return renew_credentials(); });
    if (ports_) s.spawn("shared port", [this] { return ports_->run(); });
    if (mapper_) s.spawn("port mappings", [this] { return mapper_->run(); });
    s.spawn("network", [this] { return watch_network(); });
    s.spawn("registry session", [this] { return session_.run(); });
    co_await handle_signals();
  });
}

// A machine that changes networks changes several times within a second: it is looked at when that is over.
async::task<> node::watch_network() {
  for (;;) {
    co_await host_.interfaces_changed();
    while (co_await async::with_timeout(network_settles, host_.interfaces_changed())) {
    }
    tracer_(host_.now(), trace::note{trace::layer::mesh, "network", "the addresses of this machine have changed"});
    session_.network_changed();
    for (auto& [peer, l] : links_) l->network_changed();
  }
}

// Each peer hears that we leave; that is worth a moment, not more.
async::task<> node::hang_up() {
  for (auto& [peer, l] : links_) l->hang_up();
  co_await async::with_timeout(farewell_limit, [](node& self) -> async::task<> {
    const auto connected = [](const auto& entry) { return entry.second->has_connection(); };
    while (std::ranges::any_of(self.links_, connected)) co_await async::sleep_for(std::chrono::milliseconds(5));
    if (self.mapper_) co_await self.mapper_->release();
  }(*this));
}

async::task<> node::handle_signals() {
  while (auto m = co_await session_.receive()) {
    switch (m->what) {
      case signaling::kind::peer_list: {
        environment_.own_id = session_.peer_id();
        // Names take a moment to look up; a resolver that is dead gets no more than that.
        co_await async::with_timeout(name_patience,
                                     [](async::event& e) -> async::task<> { co_await e.wait(); }(servers_known_));
        const auto* aliases = m->payload.find("aliases");
        const auto* peers = m->payload.find("peers");
        if (peers == nullptr || peers->as_array() == nullptr) break;
        present_.clear();
        for (const auto& p : *peers->as_array()) {
          if (p.as_string() == nullptr || !signaling::valid_peer_id(*p.as_string()) || links_.size() >= most_links) continue;
          auto& l = link_to(*p.as_string());
          present_.insert(*p.as_string());
          if (aliases != nullptr && signaling::valid_peer_id(aliases->text(l.peer()))) l.set_alias(aliases->text(l.peer()));
          // The newcomer offers to those it finds. A link that stands is left alone: the registry came back, not the peer.
          l.call();
        }
        for (auto& [peer, c] : conversations_) c->look_again();
        break;
      }
      case signaling::kind::offer:
        if (signaling::valid_peer_id(m->peer_id) && (links_.contains(m->peer_id) || links_.size() < most_links))
          link_to(m->peer_id).offer_arrived(std::string(signaling::sdp_of(m->payload)), m->payload);
        break;
      case signaling::kind::answer:
        if (const auto at = links_.find(m->peer_id); at != links_.end())
          at->second->answer_arrived(std::string(signaling::sdp_of(m->payload)), m->payload);
        break;
      case signaling::kind::ice_candidate:
        if (const auto c = signaling::candidate_of(m->payload);
            c && signaling::valid_peer_id(m->peer_id) && (links_.contains(m->peer_id) || links_.size() < most_links))
          link_to(m->peer_id).candidate_arrived(*c);
        break;
      case signaling::kind::peer_joined:
        present_.emplace(m->payload.text("peer"));
        look_again(m->payload.text("peer"));
        break;
      case signaling::kind::task: take_letter(m->payload); break;
      case signaling::kind::peer_left:
        present_.erase(std::string(m->payload.text("peer")));
        look_again(m->payload.text("peer"));
        // Gone from the registry is not gone: only a link that does not stand gives up calling.
        if (const auto at = links_.find(m->payload.text("peer")); at != links_.end()) at->second->peer_is_away();
        break;
      case signaling::kind::error:
        if (const auto at = links_.find(m->payload.text("target_id")); at != links_.end() && m->payload.text("type") == "offer")
          at->second->offer_undeliverable();
        break;
      default: break;
    }
  }
}

// The servers that the registry names, or those we were told. Links that are made meanwhile take what is known.
async::task<> node::follow_servers() {
  for (const auto& name : config_.stun_servers)
    if (auto uri = stun::server_uri::parse("stun:" + name)) servers_.stun.push_back(std::move(*uri));
  const bool told = !servers_.stun.empty();
  for (;;) {
    co_await resolve_stun_servers();
    servers_known_.set();
    servers_renewed_.pulse();
    for (auto& [peer, l] : links_) l->servers_changed();
    co_await session_.ice_servers_changed();
    auto named = ice_servers::from(session_.ice_servers());
    if (told) named.stun = std::move(servers_.stun);
    servers_ = std::move(named);
  }
}

async::task<> node::resolve_stun_servers() {
  std::vector<base::endpoint> found;
  if (!config_.no_stun)
    for (const auto& s : servers_.stun) {
      const auto addresses = co_await async::with_timeout(name_patience, host_.resolve(s.host));
      if (!addresses) continue;
      for (const auto& a : *addresses) found.push_back({a, s.port});
    }
  stun_servers_ = std::move(found);
}

async::task<base::result<base::endpoint>> node::map_port(base::endpoint inside) {
  const auto mapping = co_await mapper_->map(inside);
  if (!mapping) co_return base::fail(mapping.error());
  // Behind another NAT a port forwarded by the first one leads half the way.
  if (mapping->behind_another_nat())
    co_return base::fail(base::errc::unreachable, base::error::nowhere, "a public address outside");
  co_return mapping->outside;
}

// turn_rest: relays refuse credentials whose time is over.
async::task<> node::renew_credentials() {
  for (;;) {
    const auto ends = servers_.expiry();
    if (!ends) {
      co_await servers_renewed_.wait();
      continue;
    }
    co_await async::sleep_for(renewal_delay(host_.wall_now(), *ends));
    (void)co_await session_.renew_ice_servers();
  }
}

link& node::link_to(const std::string& peer) {
  if (const auto at = links_.find(peer); at != links_.end()) return *at->second;
  environment_.own_id = session_.peer_id();  // it is signed, so it must be there before the first offer
  auto& l = *links_.emplace(peer, std::make_unique<link>(environment_, peer)).first->second;
  scope_->spawn("link", [&l] { return l.run(); });
  return l;
}

link* node::find(std::string_view name) const {
  if (const auto at = links_.find(name); at != links_.end()) return at->second.get();
  for (auto& [peer, l] : links_)
    if (l->alias() == name) return l.get();
  return nullptr;
}

std::vector<std::string> node::open_peers() const {
  std::vector<std::string> peers;
  for (const auto& [peer, l] : links_)
    if (l->open()) peers.push_back(l->shown_as());
  return peers;
}

async::task<> node::handle(ipc_session& s, command c) {
  using kind = command::kind;
  switch (c.what) {
    case kind::send: co_await send(s, std::move(c)); break;
    case kind::broadcast: co_await broadcast(s, std::move(c)); break;
    case kind::list_peers:
      for (auto& line : peer_list_event(open_peers())) s.try_tell(std::move(line));
      break;
    case kind::connect:
      if (auto* l = find(c.target_peer)) {
        l->call();
      } else if (session_.registered() && links_.size() < most_links) {
        link_to(c.target_peer).call();
      } else {
        refuse(&s, c, "the peer is not known and there is no registry connection");
      }
      break;
    case kind::status: tell_status(s); break;
    case kind::ping: co_await ping(s, std::move(c)); break;
    case kind::trust: co_await speak_of_trust(s, std::move(c)); break;
  }
}

async::task<> node::ping(ipc_session& s, command c) {
  auto* l = find(c.target_peer);
  if (l == nullptr) co_return refuse(&s, c, "the peer is not connected");
  const auto rtt = co_await l->ping();
  if (!rtt) co_return refuse(&s, c, rtt.error().message());
  s.try_tell(
      *event_line("pong", base::json::make({{"peer_id", l->shown_as()}, {"id", c.id}, {"rtt_ms", base::milliseconds(*rtt)}})));
}

void node::greet(ipc_session& s) {
  for (auto& line : peer_list_event(open_peers())) s.try_tell(std::move(line));
}

void node::tell_status(ipc_session& s) {
  for (const auto& [peer, l] : links_) {
    auto of_link = l->status();
    if (const auto at = conversations_.find(peer); at != conversations_.end()) of_link.set("delivery", at->second->status());
    if (auto line = event_line("link", std::move(of_link))) s.try_tell(std::move(*line));
  }
  s.try_tell(*event_line("status", status()));
}

base::json node::link_status(std::string_view peer) const {
  const auto* l = find(peer);
  return l != nullptr ? l->status() : base::json();
}

base::json node::status() const {
  const auto& i = ipc_.counters();
  return base::json::make({{"peer_id", session_.peer_id()},
                           {"signaling", signaling::to_string(session_.state())},
                           {"signaling_error", session_.last_error()},
                           {"links", links_.size()},
                           {"open", open_peers().size()},
                           {"programs", ipc_.programs()},
                           {"ipc_commands", i.commands},
                           {"ipc_bad_lines", i.bad_lines},
                           {"ipc_overflowed", i.overflowed},
                           {"send_failed", counters_.send_failed},
                           {"oversized", counters_.oversized},
                           {"stray_responses", counters_.stray_responses},
                           {"refused_by_rules", counters_.refused_by_rules},
                           {"known_keys", known_.size()},
                           {"not_stored", counters_.not_stored},
                           {"bad_letters", counters_.bad_letters}});
}

}  // namespace strata::mesh
