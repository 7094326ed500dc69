#include "registry/task_queue.hpp"

#include <algorithm>

#include "base/hex.hpp"

namespace strata::registry {
namespace {

// Eight hexadecimal digits, a dash, three more: the beginning of a UUID.
std::string make_id(std::span<const std::uint8_t, 8> random) {
  auto digits = base::to_hex(random);
  return digits.substr(0, 8) + '-' + digits.substr(8, 3);
}

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tasks"; }
  std::string message(int value) const override {
    switch (static_cast<task_errc>(value)) {
      case task_errc::not_an_object: return "a task is a JSON object";
      case task_errc::bad_member: return "a member is not what it should be";
      case task_errc::no_target: return "a task needs a skill or a target_agent_id";
      case task_errc::too_large: return "the payload or the result is too large";
      case task_errc::too_many: return "there are too many tasks";
      case task_errc::bad_state: return "the state can be set to completed or failed only";
      case task_errc::not_found: return "not found";
      case task_errc::not_assigned: return "the task is not assigned to this agent";
      case task_errc::finished: return "the task is finished";
      case task_errc::key_reused: return "the idempotency key belongs to another task";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(task_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::size_t task_queue::weight(const task& t) { return t.payload.dump().size() + t.result.size() + t.error.size(); }

// When time changes it next.
base::wall_time task_queue::due(const task& t) const {
  if (is_final(t.state)) return t.updated + limits_.kept;
  return t.state == task_state::assigned ? std::min(t.deadline(), t.lease_until) : t.deadline();
}

task* task_queue::get(std::string_view id) {
  const auto at = tasks_.find(id);
  return at == tasks_.end() ? nullptr : &at->second;
}

void task_queue::index(const task& t) {
  if (t.state == task_state::pending) {
    auto& line = t.target.empty() ? for_skill_[t.skill] : for_target_[t.target];
    line.insert(rank_of(t));
    ++pending_;
  }
  if (t.state == task_state::assigned) held_[t.assigned].insert(t.id);
  if (!is_final(t.state)) ++unfinished_[t.owner];
  due_.emplace(due(t), t.id);
  bytes_ += weight(t);
}

void task_queue::forget(const task& t) {
  const auto leave = [](auto& in, const std::string& name, const auto& what) {
    const auto at = in.find(name);
    at->second.erase(what);
    if (at->second.empty()) in.erase(at);
  };
  if (t.state == task_state::pending) {
    if (t.target.empty()) leave(for_skill_, t.skill, rank_of(t));
    else leave(for_target_, t.target, rank_of(t));
    --pending_;
  }
  if (t.state == task_state::assigned) leave(held_, t.assigned, t.id);
  if (!is_final(t.state))
    if (const auto at = unfinished_.find(t.owner); --at->second == 0) unfinished_.erase(at);
  due_.erase({due(t), t.id});
  bytes_ -= weight(t);
}

store::change task_queue::change(const task& t) const { return {std::string(table), t.id, t.stored()}; }

template <class F>
store::change task_queue::alter(task& t, base::wall_time now, F f) {
  forget(t);
  f(t);
  t.updated = now;
  index(t);
  return change(t);
}

store::change task_queue::end(task& t, std::string_view why, base::wall_time now) {
  return alter(t, now, [why](task& x) {
    x.state = task_state::failed;
    x.error = why;
  });
}

store::change task_queue::put_back(task& t, base::wall_time now) {
  if (t.attempts >= limits_.most_attempts) return end(t, task_end::dead_letter, now);
  return alter(t, now, [](task& x) {
    x.state = task_state::pending;
    x.assigned.clear();
  });
}

base::result<void> task_queue::load(std::span<const store::record> records) {
  *this = task_queue(limits_);
  for (const auto& r : records) {
    auto t = task::from_stored(r.name, r.value);
    if (!t) return base::fail(t.error());
    if (!t->idempotency_key.empty()) keys_[{t->owner, t->idempotency_key}] = t->id;
    by_age_.emplace(t->created, t->id);
    const auto& kept = tasks_.emplace(r.name, std::move(*t)).first->second;
    index(kept);
  }
  return {};
}

base::result<task_queue::submitted> task_queue::submit(task_submission s, std::string_view owner,
                                                       std::span<const std::uint8_t, 8> random, base::wall_time now) {
  if (s.skill.empty() && s.target.empty()) return base::fail(task_errc::no_target);
  task t;
  t.skill = std::move(s.skill);
  t.target = std::move(s.target);
  t.source = std::move(s.source);
  t.owner = owner;
  t.payload = std::move(s.payload);
  t.ttl = std::min(s.ttl, limits_.longest_ttl);
  t.priority = s.priority;
  t.idempotency_key = std::move(s.idempotency_key);
  t.created = t.updated = now;
  if (const auto at = keys_.find({t.owner, t.idempotency_key}); !t.idempotency_key.empty() && at != keys_.end()) {
    const auto& known = *get(at->second);
    if (known.skill != t.skill || known.target != t.target || !(known.payload == t.payload))
      return base::fail(task_errc::key_reused);
    return submitted{&known, true, {}};
  }
  const auto size = weight(t);
  if (size > limits_.payload_bytes) return base::fail(task_errc::too_large);
  const auto mine = unfinished_.find(owner);
  if (tasks_.size() >= limits_.all || bytes_ + size > limits_.all_bytes ||
      (mine != unfinished_.end() && mine->second >= limits_.of_one_owner))
    return base::fail(task_errc::too_many);
  t.id = make_id(random);
  // 44 bits: two of a hundred thousand may meet.
  if (tasks_.contains(t.id)) return base::fail(task_errc::too_many);
  if (!t.idempotency_key.empty()) keys_[{t.owner, t.idempotency_key}] = t.id;
  by_age_.emplace(t.created, t.id);
  auto name = t.id;
  const auto& kept = tasks_.emplace(std::move(name), std::move(t)).first->second;
  index(kept);
  return submitted{&kept, false, {change(kept)}};
}

const task_queue::ranked* task_queue::waiting(const std::map<std::string, ranked, std::less<>>& in,
                                              std::string_view name) const {
  const auto at = in.find(name);
  return at == in.end() ? nullptr : &at->second;
}

bool task_queue::has_work(std::string_view agent, std::span<const std::string> skills) const {
  return waiting(for_target_, agent) != nullptr ||
         std::ranges::any_of(skills, [&](const auto& s) { return !s.empty() && waiting(for_skill_, s) != nullptr; });
}

task_queue::claimed task_queue::claim(std::string_view agent, std::span<const std::string> skills, std::size_t most,
                                      base::wall_time now) {
  std::set<rank> best;
  const auto consider = [&](const ranked* line) {
    if (line == nullptr) return;
    std::size_t taken = 0;
    for (const auto& r : *line) {
      if (taken++ == most) break;
      best.insert(r);
    }
  };
  consider(waiting(for_target_, agent));
  for (const auto& s : skills)
    if (!s.empty()) consider(waiting(for_skill_, s));
  claimed out;
  for (const auto& [priority, created, id] : best) {
    if (out.tasks.size() == most) break;
    auto& t = *get(id);
    if (t.deadline() <= now) continue;  // the sweep ends it
    out.changes.push_back(alter(t, now, [&](task& x) {
      x.state = task_state::assigned;
      x.assigned = agent;
      x.assigned_at = now;
      x.lease_until = now + limits_.lease;
      ++x.attempts;
    }));
    out.tasks.push_back(&t);
  }
  return out;
}

store::changes task_queue::renew(std::string_view agent, std::optional<std::span<const std::string>> running,
                                 base::wall_time now) {
  store::changes out;
  const auto at = held_.find(agent);
  if (at == held_.end()) return out;
  const auto held = at->second;  // altering takes them out and puts them in again
  for (const auto& id : held) {
    auto& t = *get(id);
    const bool named = running && std::ranges::find(*running, id) != running->end();
    const bool trusted = !running && now < t.assigned_at + limits_.unconfirmed;
    if (!named && !trusted) continue;
    const auto updated = t.updated;
    out.push_back(alter(t, updated, [&](task& x) { x.lease_until = now + limits_.lease; }));
  }
  return out;
}

base::result<task_queue::finished> task_queue::finish(std::string_view id, std::string_view agent, task_state how,
                                                      std::string result, std::string error, base::wall_time now) {
  if (!is_final(how)) return base::fail(task_errc::bad_state);
  auto* t = get(id);
  if (t == nullptr) return base::fail(task_errc::not_found);
  if (result.size() + error.size() > limits_.payload_bytes) return base::fail(task_errc::too_large);
  if (t->assigned != agent) return base::fail(is_final(t->state) ? task_errc::finished : task_errc::not_assigned);
  if (is_final(t->state)) {
    if (t->state != how || t->result != result || t->error != error) return base::fail(task_errc::finished);
    return finished{t, {}};
  }
  auto done = alter(*t, now, [&](task& x) {
    x.state = how;
    x.result = std::move(result);
    x.error = std::move(error);
  });
  return finished{t, {std::move(done)}};
}

base::result<task_queue::finished> task_queue::cancel(std::string_view id, std::string_view owner, base::wall_time now) {
  auto* t = get(id);
  if (t == nullptr || t->owner != owner) return base::fail(task_errc::not_found);
  if (is_final(t->state)) {
    if (t->error != task_end::cancelled) return base::fail(task_errc::finished);
    return finished{t, {}};
  }
  auto done = end(*t, task_end::cancelled, now);
  return finished{t, {std::move(done)}};
}

store::changes task_queue::agent_gone(std::string_view agent, base::wall_time now) {
  store::changes out;
  const auto at = held_.find(agent);
  if (at == held_.end()) return out;
  const auto held = at->second;
  for (const auto& id : held) out.push_back(put_back(*get(id), now));
  return out;
}

store::changes task_queue::sweep(base::wall_time now) {
  store::changes out;
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto id = due_.begin()->second;
    auto& t = *get(id);
    if (is_final(t.state)) {
      forget(t);
      by_age_.erase({t.created, t.id});
      if (!t.idempotency_key.empty()) keys_.erase({t.owner, t.idempotency_key});
      out.push_back({std::string(table), id, std::nullopt});
      tasks_.erase(id);
    } else if (t.deadline() <= now) {
      out.push_back(end(t, task_end::expired, now));
    } else {
      out.push_back(put_back(t, now));
    }
  }
  return out;
}

std::optional<base::wall_time> task_queue::next_sweep() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

const task* task_queue::find(std::string_view id) const {
  const auto at = tasks_.find(id);
  return at == tasks_.end() ? nullptr : &at->second;
}

std::vector<const task*> task_queue::list(std::string_view after, std::size_t most) const {
  std::vector<const task*> out;
  const auto* last = after.empty() ? nullptr : find(after);
  auto at = last == nullptr ? by_age_.begin() : by_age_.upper_bound({last->created, last->id});
  for (; at != by_age_.end() && out.size() < most; ++at) out.push_back(find(at->second));
  return out;
}

std::size_t task_queue::assigned_to(std::string_view agent) const {
  const auto at = held_.find(agent);
  return at == held_.end() ? 0 : at->second.size();
}

}  // namespace strata::registry
