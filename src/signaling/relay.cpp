#include "signaling/relay.hpp"

namespace strata::signaling {

namespace {

bool lists(const base::json& payload, std::string_view member, std::string_view wanted) {
  const auto* list = payload.find(member);
  if (list == nullptr || list->as_array() == nullptr) return false;
  for (const auto& item : *list->as_array())
    if (item.as_string() != nullptr && *item.as_string() == wanted) return true;
  return false;
}

message from_registry(kind what, base::json payload) {
  message m;
  m.what = what;
  m.peer_id = registry_id;
  m.payload = std::move(payload);
  return m;
}

}  // namespace

relay_outcome relay::connected(connection_id c, std::string peer_id) {
  relay_outcome out;
  if (const auto old = by_peer_.find(peer_id); old != by_peer_.end()) {
    // Half-open TCP: the old socket may live on for minutes. It must neither send nor, when it ends, take the new
    // registration with it.
    out.close_replaced.push_back(old->second);
    by_connection_.erase(old->second);
    by_peer_.erase(old);
  }
  by_peer_.emplace(peer_id, c);
  by_connection_.emplace(c, session{std::move(peer_id), {}, dialect::plain, false, false, false});
  return out;
}

relay_outcome relay::disconnected(connection_id c) {
  relay_outcome out;
  const auto at = by_connection_.find(c);
  if (at == by_connection_.end()) return out;  // it had been replaced
  const session gone = std::move(at->second);
  by_connection_.erase(at);
  by_peer_.erase(gone.peer_id);
  if (gone.registered) announce(gone, kind::peer_left, out);
  return out;
}

relay_outcome relay::received(connection_id c, std::string_view text) {
  relay_outcome out;
  const auto at = by_connection_.find(c);
  if (at == by_connection_.end()) {
    out.dropped = "the connection was replaced";
    return out;
  }
  auto& s = at->second;
  auto m = parse(text);
  if (!m) {
    ++counters_.dropped_malformed;
    out.dropped = "malformed message";
    if (s.wants_events) tell(out, c, s, from_registry(kind::error, base::json::make({{"error", m.error().message()}})));
    return out;
  }
  if (m->peer_id != s.peer_id) {
    ++counters_.dropped_forged_sender;
    out.dropped = "peer_id is not the authenticated one";
    return out;
  }
  // Answer a client in the names it uses; only offers and answers tell the dialects apart.
  if (m->what == kind::offer || m->what == kind::answer) s.names = m->names;
  switch (m->what) {
    case kind::registration: on_register(c, s, *m, out); break;
    case kind::offer:
    case kind::answer:
    case kind::ice_candidate: forward(s, std::move(*m), out); break;
    case kind::heartbeat: break;
    case kind::task_done: out.finished_task = m->payload.text("task_id"); break;
    default: out.dropped = "a type the registry does not handle";
  }
  return out;
}

void relay::on_register(connection_id c, session& s, const message& m, relay_outcome& out) {
  s.wants_events = lists(m.payload, "caps", "events");
  s.wants_tasks = lists(m.payload, "caps", "tasks");
  if (lists(m.payload, "caps", "sdp_names")) s.names = dialect::sdp_names;
  if (const auto alias = m.payload.text("alias"); valid_peer_id(alias) && alias_is_free(alias, s.peer_id)) s.alias = alias;
  const bool first_time = !std::exchange(s.registered, true);
  ++counters_.registered;

  base::json::array peers;
  base::json::object aliases;
  if (authorised_(s.peer_id))
    for (const auto& [peer, connection] : by_peer_) {
      const auto& other = by_connection_.at(connection);
      if (connection == c || !other.registered || !authorised_(peer)) continue;
      peers.emplace_back(peer);
      if (!other.alias.empty()) aliases.emplace_back(peer, other.alias);
    }
  auto payload = base::json::make({{"peers", std::move(peers)}});
  if (s.wants_events) {
    payload.set("aliases", std::move(aliases));
    if (!s.alias.empty()) payload.set("alias", s.alias);
  }
  tell(out, c, s, from_registry(kind::peer_list, std::move(payload)));
  if (first_time) announce(s, kind::peer_joined, out);
}

void relay::forward(session& from, message m, relay_outcome& out) {
  const auto undeliverable = [&](std::string_view why) {
    ++counters_.dropped_undeliverable;
    out.dropped = why;
    if (from.wants_events)
      tell(out, by_peer_.find(from.peer_id)->second, from,
           from_registry(kind::error,
                         base::json::make({{"error", why}, {"target_id", m.target_id}, {"type", name_of(m.what)}})));
  };
  if (!from.registered) {
    ++counters_.dropped_unregistered;
    out.dropped = "not registered";
    return;
  }
  if (!authorised_(from.peer_id)) return undeliverable("the sender is not approved");
  const auto to = by_peer_.find(m.target_id);
  if (to == by_peer_.end() || to->first == from.peer_id || !by_connection_.at(to->second).registered)
    return undeliverable("the target is not connected");
  if (!authorised_(m.target_id)) return undeliverable("the target is not approved");
  // The alias in a payload is the registry's word, not the sender's.
  if (m.payload.is_object() && (m.payload.find("alias") != nullptr || !from.alias.empty())) {
    if (m.what != kind::ice_candidate) m.payload.set("alias", from.alias);
  }
  ++counters_.relayed;
  tell(out, to->second, by_connection_.at(to->second), std::move(m));
}

void relay::announce(const session& about, kind what, relay_outcome& out) const {
  if (!authorised_(about.peer_id)) return;
  auto payload = base::json::make({{"peer", about.peer_id}});
  if (!about.alias.empty()) payload.set("alias", about.alias);
  for (const auto& [connection, s] : by_connection_)
    if (s.registered && s.wants_events && s.peer_id != about.peer_id && authorised_(s.peer_id))
      tell(out, connection, s, from_registry(what, payload));
}

void relay::tell(relay_outcome& out, connection_id to, const session& s, message m) const {
  out.deliveries.push_back({to, format(m, s.names)});
}

bool relay::alias_is_free(std::string_view alias, std::string_view claimant) const {
  if (const auto named = by_peer_.find(alias); named != by_peer_.end() && named->first != claimant) return false;
  for (const auto& [connection, s] : by_connection_)
    if (s.alias == alias && s.peer_id != claimant) return false;
  return !authorised_(alias) || alias == claimant;  // an id that belongs to another credential
}

bool relay::takes_tasks(connection_id c) const {
  const auto at = by_connection_.find(c);
  return at != by_connection_.end() && at->second.registered && at->second.wants_tasks && authorised_(at->second.peer_id);
}

std::vector<connection_id> relay::unauthorised() const {
  std::vector<connection_id> list;
  for (const auto& [c, session] : by_connection_)
    if (!authorised_(session.peer_id)) list.push_back(c);
  return list;
}

std::optional<connection_id> relay::connection_of(std::string_view peer_id) const {
  const auto at = by_peer_.find(peer_id);
  return at == by_peer_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::string> relay::registered_peers() const {
  std::vector<std::string> peers;
  for (const auto& [peer, connection] : by_peer_)
    if (by_connection_.at(connection).registered) peers.push_back(peer);
  return peers;
}

std::string_view relay::alias_of(std::string_view peer_id) const {
  const auto at = by_peer_.find(peer_id);
  return at == by_peer_.end() ? std::string_view() : by_connection_.at(at->second).alias;
}

}  // namespace strata::signaling
