// How messages come and go: which peers get frames and which the plain protocol, what a program is told of what it sent, and
// letters through the registry.
#include <utility>

#include "mesh/letter.hpp"
#include "mesh/node.hpp"

namespace strata::mesh {
namespace {

constexpr auto request_lives = std::chrono::seconds(120);  // the longest that upstream's agents wait for an answer
constexpr auto message_lives = std::chrono::hours(24);
constexpr std::int64_t letter_lives = 60;  // seconds; a lost one is written again
constexpr std::size_t most_promises = 65'536;
// Messages stay in the order of their stream. Those that name none are in one order, as upstream's are; a large one that may be
// overtaken names a stream of its own.
constexpr std::uint32_t first_named_stream = 1;

}  // namespace

store::told<void> node::recall_conversations() {
  const auto outgoing = config_.store->load(outbox_table);
  if (!outgoing) return tl::unexpected(outgoing.error().message());
  const auto incoming = config_.store->load(inbox_table);
  if (!incoming) return tl::unexpected(incoming.error().message());
  auto peers = outbox::peers_in(*outgoing);
  for (auto& p : inbox::peers_in(*incoming)) peers.push_back(std::move(p));
  for (const auto& peer : peers) {
    if (conversations_.contains(peer)) continue;
    auto c = std::make_unique<conversation>(conversing_, peer);
    if (auto loaded = c->load(*outgoing, *incoming); !loaded) return loaded;
    conversations_.emplace(peer, std::move(c));
  }
  return {};
}

conversation& node::conversation_with(std::string_view peer) {
  if (const auto at = conversations_.find(peer); at != conversations_.end()) return *at->second;
  auto& c = *conversations_.emplace(peer, std::make_unique<conversation>(conversing_, std::string(peer))).first->second;
  scope_->spawn("conversation", [&c] { return c.run(); });
  return c;
}

// Now, or when it was met last: whoever is known by a key is one of us.
bool node::speaks_frames(std::string_view peer) const {
  if (const auto* l = find(peer); l != nullptr && l->open()) return l->speaks_frames();
  return !config_.plain && (conversations_.contains(peer) || known_.find(peer) != nullptr);
}

void node::look_again(std::string_view peer) {
  if (const auto at = conversations_.find(peer); at != conversations_.end()) at->second->look_again();
}

async::task<> node::send(ipc_session& s, command c) {
  const auto* l = find(c.target_peer);
  const auto owner = known_.peer_named(c.target_peer);
  const auto peer = l != nullptr ? l->peer() : owner.value_or(c.target_peer);
  const bool frames = speaks_frames(peer);
  if (c.message.type == "task_request") responses_.asked(peer, c.message.request_id);
  if (!frames && (l == nullptr || !l->open())) co_return refuse(&s, c, "the peer is not connected");
  if (const auto counted = config_.rules.count_hop(c.message); !counted) co_return refuse(&s, c, counted.error());
  if (frames) co_return co_await converse(s, std::move(c), peer);
  if (const auto sent = co_await find(peer)->send(c.message); !sent) refuse(&s, c, sent.error().message());
}

async::task<> node::converse(ipc_session& s, command c, std::string peer) {
  submission m;
  host_.random(m.id.octets);
  auto text = c.message.to_json().dump();
  m.octets = base::to_bytes(text);
  if (c.stream) m.stream = first_named_stream + *c.stream;
  m.time_left =
      c.deadline.value_or(c.message.type == "task_request" ? base::duration(request_lives) : base::duration(message_lives));
  // What goes out at once costs no commit: a program whose meshd is killed knows that it has to ask again. What has to wait
  // may wait for long.
  const auto* l = find(peer);
  m.durable = c.durable || l == nullptr || !l->open();
  const auto id = m.id;
  c.message.payload = base::json::object();
  if (promises_.size() < most_promises) promises_.insert_or_assign(id, promise{c, peer});
  const auto taken = co_await conversation_with(peer).submit(std::move(m));
  if (taken) co_return;
  promises_.erase(id);
  refuse(&s, c, reason(taken.error()));
}

void node::tell_outcome(std::string_view peer, const outcome& o) {
  auto told = promises_.extract(o.id);
  if (o.what == fate::delivered) {
    if (told && !told.mapped().what.id.empty())
      ipc_.announce(*event_line("outcome", base::json::make({{"id", told.mapped().what.id},
                                                             {"target_peer", told.mapped().what.target_peer},
                                                             {"outcome", to_string(o.what)}})));
    return;
  }
  command c;
  if (told) c = std::move(told.mapped().what);
  else c.target_peer = find(peer) != nullptr ? find(peer)->shown_as() : std::string(peer);
  auto why = std::string(to_string(o.what));
  if (!o.why.empty()) why += ": " + o.why;
  if (o.may_have_arrived) why += " (it may have arrived)";
  refuse(nullptr, c, why);
}

async::task<> node::broadcast(ipc_session& s, command c) {
  std::vector<std::string> targets;
  for (const auto& [peer, l] : links_)
    if (l->open()) targets.push_back(peer);
  for (const auto& peer : targets) {
    c.target_peer = peer;
    co_await send(s, c);
  }
}

// A message that does not go out is reported; a request is answered as well, so that nobody waits for an answer
// that cannot come. Unless the peer has given one itself.
void node::refuse(ipc_session* s, const command& c, std::string_view why) {
  ++counters_.send_failed;
  auto line = send_failed_event(c, why);
  std::optional<std::string> response;
  if (c.message.type == "task_request" && !c.message.request_id.empty()) {
    const auto* l = find(c.target_peer);
    const auto peer = l != nullptr ? l->peer() : c.target_peer;
    if (responses_.admit(peer, c.message.request_id)) response = message_event(c.target_peer, failure_response(c.message, why));
  }
  const auto tell = [&](std::string text) {
    if (s != nullptr) s->try_tell(std::move(text));
    else ipc_.announce(text);
  };
  tell(std::move(line));
  if (response) tell(std::move(*response));
}

// A message of the plain protocol: nobody waits for what becomes of it.
async::task<> node::deliver(std::string peer, message m) { (void)co_await hand_over(std::move(peer), std::move(m)); }

async::task<handed_over> node::take_delivery(std::string peer, delivery d) {
  if (d.binary) co_return handed_over{fate::refused, "no program here takes binary messages"};
  const auto v = base::json::parse(base::as_text(d.octets));
  auto m = v ? message::from(*v) : base::result<message>(base::fail(v.error()));
  if (!m) co_return handed_over{fate::refused, m.error().message()};
  co_return co_await hand_over(std::move(peer), std::move(*m));
}

async::task<handed_over> node::hand_over(std::string peer, message m) {
  if (m.is_response() && !responses_.admit(peer, m.request_id)) {
    ++counters_.stray_responses;
    tracer_(host_.now(), trace::drop{trace::layer::mesh, "a response that was not asked of this peer, or came twice", {}, 0});
    co_return handed_over{fate::refused, "nobody asked for this response"};
  }
  const auto* l = find(peer);
  const auto shown = l != nullptr ? l->shown_as() : peer;
  const auto alias = l != nullptr ? l->alias() : std::string();
  if (const auto why = config_.rules.refuses({peer, alias, l != nullptr && l->verified()}, m)) {
    ++counters_.refused_by_rules;
    tracer_(host_.now(), trace::note{trace::layer::mesh, "refused by the rules", *why});
    if (m.type == "task_request") co_await answer(peer, failure_response(m, *why));
    co_return handed_over{fate::refused, std::string(*why)};
  }
  m.source_agent = verified_source(m.source_agent, peer, alias);
  auto line = message_event(shown, m);
  if (!line) {
    ++counters_.oversized;
    if (m.type == "task_request")
      co_await answer(peer, failure_response(m, "the request is too large for the program's local socket"));
    if (m.is_response())
      line = message_event(shown, failure_response(message{m.type, m.request_id, m.target_agent, m.source_agent, {}},
                                                   "the response is too large"));
    if (!line) co_return handed_over{fate::refused, "too large for the program's local socket"};
  }
  if (co_await ipc_.deliver(std::move(*line))) co_return handed_over{};
  if (m.type == "task_request") co_await answer(peer, failure_response(m, "no program is attached"));
  co_return handed_over{fate::refused, "no program is attached"};
}

// From us rather than from a program.
async::task<> node::answer(std::string peer, message m) {
  if (!speaks_frames(peer)) {
    if (auto* l = find(peer); l != nullptr) (void)co_await l->send(std::move(m));
    co_return;
  }
  submission s;
  host_.random(s.id.octets);
  s.octets = base::to_bytes(m.to_json().dump());
  s.durable = false;
  s.time_left = request_lives;
  (void)conversation_with(peer).accept(std::move(s));
}

// Tier 3. The registry says who put the letter there; the signature, which of those who could be it is.
void node::take_letter(const base::json& task) {
  const std::string id(task.text("id")), from(task.text("source_peer_id"));
  signaling::message done;
  done.what = signaling::kind::task_done;
  done.payload = base::json::make({{"task_id", id}});
  session_.send(std::move(done));
  const auto* payload = task.find("payload");
  if (payload == nullptr || !signaling::valid_peer_id(from)) return;
  const bool known = conversations_.contains(from) || conversations_.size() < most_conversations;
  const auto letter = known ? open_letter(*payload, from, session_.peer_id(), known_.key_of(from)) : opened_letter{};
  if (!acceptable(letter.what)) {
    ++counters_.bad_letters;
    tracer_(host_.now(), trace::note{trace::layer::mesh, "a letter is refused", reason(letter.what)});
    return;
  }
  conversation_with(from).mail_arrived(letter.frames);
}

async::task<bool> node::mail(std::string peer, std::vector<base::bytes> frames) {
  auto body = base::json::make({{"target_peer_id", peer},
                                {"source_agent_id", config_.agent_id},
                                {"ttl", letter_lives},
                                {"payload", seal(session_.peer_id(), peer, frames, config_.identity)}});
  const auto reply = co_await session_.ask("POST", "/api/hub/tasks", body.dump());
  if (reply && reply->status == 200) co_return true;
  tracer_(host_.now(), trace::note{trace::layer::mesh, "a letter was not taken",
                                   reply ? "status " + std::to_string(reply->status) : reply.error().message()});
  co_return false;
}

}  // namespace strata::mesh
