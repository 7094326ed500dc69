// The agent registry: who said what about itself, and how long ago. Pure: time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::registry {

enum class agents_errc { not_an_object = 1, missing_field, bad_field, name_taken, full };
std::error_code make_error_code(agents_errc e) noexcept;

enum class health : std::uint8_t { active, stale, offline };
std::string_view to_string(health h) noexcept;

// Age of the last heartbeat after which an agent counts as stale, then as offline.
inline constexpr auto stale_after = std::chrono::seconds(90);
inline constexpr auto offline_after = std::chrono::seconds(270);

struct agent_info {
  std::string agent_id, hostname, ip;
  std::int64_t port = 8000;
  std::string sidecar_peer_id, status, mode;
  std::vector<std::string> skills, mcp_servers;
  std::int64_t goals_count = 0;
  std::string capabilities_mode;
};

struct agent_record {
  agent_info info;
  std::string owner;  // peer id of the credential that registered it; nobody else may change it
  base::wall_time registered_at{}, last_heartbeat{};
};

class agents {
 public:
  explicit agents(std::size_t capacity = 10'000) : capacity_(capacity) {}

  // POST /api/registry/agents: replaces the whole record.
  base::result<void> register_agent(const base::json& body, std::string_view owner, base::wall_time now);
  // POST /api/hub/heartbeat: changes what the body names and leaves the rest; an unknown agent is created.
  base::result<void> heartbeat(const base::json& body, std::string_view owner, base::wall_time now);
  base::result<void> remove(std::string_view agent_id, std::string_view owner);

  [[nodiscard]] const agent_record* find(std::string_view agent_id) const;
  [[nodiscard]] base::json list(base::wall_time now) const;
  // An active agent that has the skill: the one heard from last. Null when there is none.
  [[nodiscard]] const agent_record* route(std::string_view skill, base::wall_time now) const;
  [[nodiscard]] std::size_t count(health h, base::wall_time now) const;

  static health health_of(const agent_record& r, base::wall_time now) noexcept;
  static base::json to_json(const agent_record& r, base::wall_time now);

 private:
  base::result<agent_record*> claim(std::string_view agent_id, std::string_view owner, base::wall_time now);

  std::size_t capacity_;
  std::map<std::string, agent_record, std::less<>> records_;
};

// "2026-11-23T07:00:00.123456789+00:00"
std::string rfc3339(base::wall_time t);

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::agents_errc> : std::true_type {};
