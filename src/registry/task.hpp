// A task of the queue: what one agent wants of another when there is no link between them (tier 3).
//
//   pending --claim--> assigned --complete--> completed
//      ^                  |  |----fail------> failed
//      |   lease over,    |
//      +--- agent gone ---+          pending and assigned --time over, cancelled, too many attempts--> failed
//
// completed and failed are for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::registry {

enum class task_state : std::uint8_t { pending, assigned, completed, failed };
std::string_view to_string(task_state s) noexcept;
std::optional<task_state> task_state_from(std::string_view name) noexcept;
[[nodiscard]] constexpr bool is_final(task_state s) noexcept { return s == task_state::completed || s == task_state::failed; }

// Why a task failed, where it was not its agent that said so; in words that upstream's clients show.
namespace task_end {
inline constexpr std::string_view expired = "TTL expired", cancelled = "cancelled by the submitter",
                                  dead_letter = "given up: nobody who took it finished it";
}

// Where tasks for a peer's own meshd wait, rather than for one of its agents. No agent may be called so.
inline constexpr std::string_view mailbox_prefix = "peer:";
[[nodiscard]] inline std::string mailbox_of(std::string_view peer_id) {
  return std::string(mailbox_prefix) + std::string(peer_id);
}

struct task {
  std::string id;  // the first twelve characters of a random UUID, as upstream's clients know it
  std::string skill, target, source;
  std::string owner;     // peer id of the credential that submitted it; empty: nobody's (compat)
  std::string assigned;  // agent id
  base::json payload;
  task_state state = task_state::pending;
  std::string result, error;
  base::wall_time created{}, updated{};
  std::chrono::seconds ttl{300};                 // from its creation to its end
  int priority = 0;                              // higher first
  unsigned attempts = 0;                         // how often somebody took it
  base::wall_time assigned_at{}, lease_until{};  // while assigned
  std::string idempotency_key;                   // empty: none

  [[nodiscard]] base::wall_time deadline() const noexcept { return created + ttl; }
  [[nodiscard]] base::json to_json() const;  // for clients: upstream's keys and ours
  [[nodiscard]] std::string stored() const;
  static base::result<task> from_stored(std::string_view id, std::string_view value);
};

// What a client asks for.
struct task_submission {
  std::string skill{}, target{}, source{};
  base::json payload{};
  std::chrono::seconds ttl{300};
  int priority = 0;
  std::string idempotency_key{};

  // POST /api/hub/tasks. Members may be missing; what is there has to be of its kind. Errors name the member.
  // target_peer_id instead of target_agent_id: for that peer's mailbox.
  static base::result<task_submission> from(const base::json& body);
};

}  // namespace strata::registry
