// What travels over the data channel "mesh" between two sidecars: one JSON object a text message,
// {"type","request_id","source_agent","target_agent","payload"}.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace strata::mesh {

enum class errc {
  not_an_object = 1,
  no_type,
  bad_field,
  line_too_long,
  unknown_command,
  no_target,
  not_connected,
  too_large,
  queue_full,
};
std::error_code make_error_code(errc e) noexcept;

// All five fields exist in everything that is written; absent text is "", an absent payload is {}: upstream agents
// call methods on the payload and die of null.
struct message {
  std::string type, request_id, source_agent, target_agent;
  base::json payload = base::json::object();

  static base::result<message> from(const base::json& v);
  [[nodiscard]] base::json to_json() const;
  [[nodiscard]] bool is_response() const noexcept { return type == "task_response"; }
};

// The answer that a requester gets when its request cannot be delivered.
message failure_response(const message& request, std::string_view why);

inline constexpr std::size_t largest_message = 65'536;  // bytes of text on the channel: what upstream peers take

}  // namespace strata::mesh

template <>
struct std::is_error_code_enum<strata::mesh::errc> : std::true_type {};
