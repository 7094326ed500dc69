// What a node remembers of its peers' keys, and what a person at the local socket asks and says about them.
#include "mesh/identity.hpp"
#include "mesh/node.hpp"

namespace strata::mesh {

store::schema node::schema() {
  return {.tables = {std::string(trust::table), std::string(outbox_table), std::string(inbox_table)}};
}

store::told<void> node::recall() {
  if (config_.store == nullptr) return {};
  const auto records = config_.store->load(trust::table);
  if (!records) return tl::unexpected(records.error().message());
  if (auto loaded = known_.load(*records); !loaded) return loaded;
  return recall_conversations();
}

// Links do not wait for it: what cannot be stored is still known until the end of the run.
void node::keep(store::changes c) {
  if (config_.store == nullptr || c.empty() || scope_ == nullptr) return;
  scope_->spawn("keep a key", [this, changes = std::move(c)] { return commit(changes); });
}

async::task<> node::commit(store::changes c) {
  const auto kept = co_await config_.store->commit(std::move(c));
  if (kept) co_return;
  ++counters_.not_stored;
  tracer_(host_.now(), trace::note{trace::layer::mesh, "a peer's key is not stored", kept.error().message()});
}

void node::tell_refused(std::string_view peer, std::string_view why) {
  const auto* l = find(peer);
  if (auto line = event_line("identity_refused",
                             base::json::make({{"peer_id", l != nullptr ? l->shown_as() : std::string(peer)}, {"error", why}})))
    ipc_.announce(*line);
}

// One event "pin" for each peer that is asked about, then "trust" with what became of it.
async::task<> node::speak_of_trust(ipc_session& s, command c) {
  auto outcome = base::json::make({{"action", c.action}, {"id", c.id.substr(0, 256)}});
  const auto failed = [&](std::string_view why) { outcome.set("error", why); };
  // A name stands for the peer that is known by it, or else for the one that is linked under it.
  auto peer = c.target_peer;
  if (const auto owner = known_.peer_named(peer)) peer = *owner;
  else if (const auto* l = find(peer)) peer = l->peer();

  store::told<store::changes> changes;
  if (c.action == "own") {
    if (config_.identity) outcome.set("fingerprint", spoken_fingerprint(config_.identity->public_key()));
    else failed("this meshd has no key of its own: it was started without --state-dir");
  } else if (c.action == "list") {
    const auto pins = known_.list();
    for (const auto& p : *pins.as_array())
      if (auto line = event_line("pin", p); line && !co_await s.tell(std::move(*line))) co_return;
  } else if (c.action == "show") {
    if (auto p = known_.describe(peer); !p.is_null()) (void)co_await s.tell(*event_line("pin", std::move(p)));
    else failed("no key of this peer is known");
  } else if (c.action == "accept" || c.action == "forget") {
    changes = c.action == "accept" ? known_.accept(peer, c.fingerprint, host_.wall_now()) : known_.forget(peer);
    // A person who was told "done" must not find it undone after a crash.
    base::result<void> kept;
    if (changes && config_.store != nullptr) kept = co_await config_.store->commit(*changes);
    if (!changes) failed(changes.error());
    else if (!kept) failed("not stored: " + kept.error().message());
    if (auto p = known_.describe(peer); !p.is_null()) (void)co_await s.tell(*event_line("pin", std::move(p)));
    // A peer that was refused need not wait for its next try.
    if (auto* l = find(peer); changes && l != nullptr) l->call();
  } else {
    failed("list, show, accept, forget or own");
  }
  (void)co_await s.tell(*event_line("trust", std::move(outcome)));
}

}  // namespace strata::mesh
