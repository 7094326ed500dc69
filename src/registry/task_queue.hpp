// The task queue (tier 3): every task is done at most by one agent at a time, finished once, and never forgotten before its
// time. A rule: time and random bytes are arguments.
//
// Whoever changes something gets the store's changes with the outcome, and commits them before it acknowledges. When the
// commit fails it acknowledges nothing and goes back to what the store holds with load().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "registry/task.hpp"
#include "store/change.hpp"

namespace strata::registry {

enum class task_errc {
  not_an_object = 1,
  bad_member,
  no_target,  // neither a skill nor a target
  too_large,  // the payload or the result
  too_many,   // of this submitter, or in all
  bad_state,  // a state that no client may set
  not_found,
  not_assigned,  // to whoever says that it is done
  finished,      // with another outcome
  key_reused,    // the idempotency key names another task
};
std::error_code make_error_code(task_errc e) noexcept;

struct task_limits {
  std::size_t payload_bytes = 256u << 10;  // of a payload, and of a result
  std::size_t all = 100'000, of_one_owner = 10'000;
  std::size_t all_bytes = 256u << 20;  // of payloads and results
  std::chrono::seconds longest_ttl = std::chrono::hours(24 * 7);
  std::chrono::seconds lease = std::chrono::seconds(45);         // three heartbeats
  std::chrono::seconds unconfirmed = std::chrono::seconds(120);  // an agent that only lives, and does not name the task
  unsigned most_attempts = 5;
  std::chrono::seconds kept = std::chrono::hours(1);  // after the end
};

class task_queue {
 public:
  static constexpr std::string_view table = "tasks";

  explicit task_queue(task_limits l = {}) : limits_(l) {}

  base::result<void> load(std::span<const store::record> records);

  struct submitted {
    const task* what;
    bool known = false;  // the idempotency key was there before: the same task
    store::changes changes;
  };
  // A task for a target is for that agent alone; one without is for whoever has the skill.
  base::result<submitted> submit(task_submission s, std::string_view owner, std::span<const std::uint8_t, 8> random,
                                 base::wall_time now);

  struct claimed {
    std::vector<const task*> tasks;  // until the next change
    store::changes changes;
  };
  // What this agent may do, the most urgent first, and the oldest of those.
  claimed claim(std::string_view agent, std::span<const std::string> skills, std::size_t most, base::wall_time now);

  // The agent lives. Those that it names are renewed for as long as it names them; where it names none (upstream), all of its
  // tasks, for two minutes.
  store::changes renew(std::string_view agent, std::optional<std::span<const std::string>> running, base::wall_time now);

  struct finished {
    const task* what;
    store::changes changes;  // none: it was finished so before
  };
  // By the agent that it is assigned to. Saying the same again is no error.
  base::result<finished> finish(std::string_view id, std::string_view agent, task_state how, std::string result,
                                std::string error, base::wall_time now);
  // By whoever submitted it.
  base::result<finished> cancel(std::string_view id, std::string_view owner, base::wall_time now);
  // What the agent had goes back to the queue.
  store::changes agent_gone(std::string_view agent, base::wall_time now);

  // What time brings: ends, leases, and what has been kept long enough.
  store::changes sweep(base::wall_time now);
  [[nodiscard]] std::optional<base::wall_time> next_sweep() const;

  [[nodiscard]] const task* find(std::string_view id) const;
  // Sorted by age. after: the id of the last one of the page before.
  [[nodiscard]] std::vector<const task*> list(std::string_view after, std::size_t most) const;
  // Is there something for this agent now? For those who wait.
  [[nodiscard]] bool has_work(std::string_view agent, std::span<const std::string> skills) const;
  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_; }
  [[nodiscard]] std::size_t assigned_to(std::string_view agent) const;

 private:
  using rank = std::tuple<int, base::wall_time, std::string>;  // priority negated, created, id
  using ranked = std::set<rank>;

  static rank rank_of(const task& t) { return {-t.priority, t.created, t.id}; }
  static std::size_t weight(const task& t);
  [[nodiscard]] base::wall_time due(const task& t) const;
  task* get(std::string_view id);
  void index(const task& t);
  void forget(const task& t);
  store::change change(const task& t) const;
  // Every change of a task goes through here: out of all indices, changed, and in again.
  template <class F>
  store::change alter(task& t, base::wall_time now, F f);
  store::change put_back(task& t, base::wall_time now);
  store::change end(task& t, std::string_view why, base::wall_time now);
  const ranked* waiting(const std::map<std::string, ranked, std::less<>>& in, std::string_view name) const;

  task_limits limits_;
  std::map<std::string, task, std::less<>> tasks_;
  std::map<std::string, ranked, std::less<>> for_target_, for_skill_;  // pending
  std::map<std::string, std::set<std::string>, std::less<>> held_;     // by agent: assigned
  std::map<std::pair<std::string, std::string>, std::string> keys_;    // owner and idempotency key to id
  std::map<std::string, std::size_t, std::less<>> unfinished_;         // by owner
  std::set<std::pair<base::wall_time, std::string>> due_;
  std::set<std::pair<base::wall_time, std::string>> by_age_;
  std::size_t bytes_ = 0, pending_ = 0;
};

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::task_errc> : std::true_type {};
