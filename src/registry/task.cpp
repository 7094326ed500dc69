#include "registry/task.hpp"

#include <algorithm>
#include <array>

#include "registry/credentials.hpp"
#include "registry/stored.hpp"
#include "registry/task_queue.hpp"

namespace strata::registry {
namespace {

constexpr std::int64_t a_week = 7 * 24 * 3600;
constexpr std::array<std::string_view, 4> state_names{"pending", "assigned", "completed", "failed"};

// Upstream's times: seconds since 1970 with a fraction.
double epoch(base::wall_time t) { return std::chrono::duration<double>(t.time_since_epoch()).count(); }

std::int64_t milliseconds(base::wall_time t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

// A member of a record, in its range; without it the record is damaged.
std::int64_t whole(const base::json& record, std::string_view name, std::int64_t least, std::int64_t most, bool& good) {
  const auto* v = record.find(name);
  const auto n = v != nullptr ? v->as_int() : std::nullopt;
  if (!n || *n < least || *n > most) good = false;
  return n.value_or(0);
}
base::wall_time time(const base::json& record, std::string_view name, bool& good) {
  constexpr std::int64_t latest = 9'000'000'000'000;  // beyond it nanoseconds do not fit
  const auto n = whole(record, name, 0, latest, good);
  return base::wall_time(std::chrono::milliseconds(good ? n : 0));
}

// The texts say what is expected; errors borrow them.
base::result<void> read_text(const base::json& body, std::string_view name, std::string& into, std::string_view expected) {
  const auto* v = body.find(name);
  if (v == nullptr) return {};
  constexpr std::size_t longest = 256;
  if (v->as_string() == nullptr || v->as_string()->size() > longest)
    return base::fail(task_errc::bad_member, base::error::nowhere, expected);
  into = *v->as_string();
  return {};
}

base::result<void> read_number(const base::json& body, std::string_view name, std::int64_t least, std::int64_t most,
                               std::int64_t& into, std::string_view expected) {
  const auto* v = body.find(name);
  if (v == nullptr) return {};
  const auto n = v->as_int();
  if (!n || *n < least || *n > most) return base::fail(task_errc::bad_member, base::error::nowhere, expected);
  into = *n;
  return {};
}

}  // namespace

std::string_view to_string(task_state s) noexcept { return state_names[static_cast<std::size_t>(s)]; }

std::optional<task_state> task_state_from(std::string_view name) noexcept {
  const auto at = std::ranges::find(state_names, name);
  if (at == state_names.end()) return std::nullopt;
  return static_cast<task_state>(at - state_names.begin());
}

base::json task::to_json() const {
  return base::json::make({{"id", id},
                           {"skill", skill},
                           {"target_agent_id", target},
                           {"source_agent_id", source},
                           {"source_peer_id", owner},
                           {"assigned_agent_id", assigned},
                           {"payload", payload},
                           {"state", to_string(state)},
                           {"result", result},
                           {"error", error},
                           {"created_at", epoch(created)},
                           {"updated_at", epoch(updated)},
                           {"ttl", ttl.count()},
                           {"priority", priority},
                           {"attempts", attempts}});
}

std::string task::stored() const {
  return base::json::make({{"skill", skill},
                           {"target", target},
                           {"source", source},
                           {"owner", owner},
                           {"assigned", assigned},
                           {"payload", payload},
                           {"state", to_string(state)},
                           {"result", result},
                           {"error", error},
                           {"created_ms", milliseconds(created)},
                           {"updated_ms", milliseconds(updated)},
                           {"ttl", ttl.count()},
                           {"priority", priority},
                           {"attempts", attempts},
                           {"assigned_ms", milliseconds(assigned_at)},
                           {"lease_ms", milliseconds(lease_until)},
                           {"key", idempotency_key}})
      .dump();
}

base::result<task> task::from_stored(std::string_view id, std::string_view value) {
  stored_reader r(value);
  task t;
  t.id = id;
  t.skill = r.text("skill");
  t.target = r.text("target");
  t.source = r.text("source");
  t.owner = r.text("owner");
  t.assigned = r.text("assigned");
  const auto state = task_state_from(r.text("state"));
  t.result = r.text("result");
  t.error = r.text("error");
  t.idempotency_key = r.text("key");
  bool good = r.good() && state;
  const auto record = base::json::parse(value).value_or(base::json());
  t.created = time(record, "created_ms", good);
  t.updated = time(record, "updated_ms", good);
  t.assigned_at = time(record, "assigned_ms", good);
  t.lease_until = time(record, "lease_ms", good);
  t.ttl = std::chrono::seconds(whole(record, "ttl", 0, a_week, good));
  t.priority = static_cast<int>(whole(record, "priority", -100, 100, good));
  t.attempts = static_cast<unsigned>(whole(record, "attempts", 0, 1'000'000, good));
  if (!good) return base::fail(stored_errc::damaged, base::error::nowhere, "a task");
  t.state = *state;
  if (const auto* p = record.find("payload"); p != nullptr) t.payload = *p;
  return t;
}

base::result<task_submission> task_submission::from(const base::json& body) {
  if (!body.is_object()) return base::fail(task_errc::not_an_object);
  task_submission s;
  std::int64_t ttl = s.ttl.count(), priority = 0;
  std::string peer;
  for (const auto& done : {read_text(body, "skill", s.skill, "skill: text of at most 256 bytes"),
                           read_text(body, "target_agent_id", s.target, "target_agent_id: text of at most 256 bytes"),
                           read_text(body, "target_peer_id", peer, "target_peer_id: text of at most 256 bytes"),
                           read_text(body, "source_agent_id", s.source, "source_agent_id: text of at most 256 bytes"),
                           read_text(body, "idempotency_key", s.idempotency_key, "idempotency_key: text of at most 256 bytes"),
                           read_number(body, "ttl", 1, a_week, ttl, "ttl: whole seconds, a week at most"),
                           read_number(body, "priority", -100, 100, priority, "priority: a whole number from -100 to 100")})
    if (!done) return base::fail(done.error());
  if (!peer.empty()) {
    if (!s.target.empty() || !s.skill.empty() || !valid_member_id(peer))
      return base::fail(task_errc::bad_member, base::error::nowhere, "target_peer_id: a peer, and no agent or skill beside it");
    s.target = mailbox_of(peer);
  }
  s.ttl = std::chrono::seconds(ttl);
  s.priority = static_cast<int>(priority);
  if (const auto* p = body.find("payload"); p != nullptr) s.payload = *p;
  return s;
}

}  // namespace strata::registry
