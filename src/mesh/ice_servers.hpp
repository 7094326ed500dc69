// The STUN and TURN servers that a registry names: a list of RTCIceServer objects, as browsers take them. Rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "stun/uri.hpp"

namespace strata::mesh {

struct turn_entry {
  stun::server_uri uri;
  std::string username, credential;
};

struct ice_servers {
  std::vector<stun::server_uri> stun;
  std::vector<turn_entry> turn;  // UDP before TCP before TLS: the faster way first
  std::size_t unusable = 0;      // entries that could not be read

  // `urls` is a text or a list of them. What cannot be read is counted and left out; at most 16 of each kind.
  [[nodiscard]] static ice_servers from(const base::json& list);
  // When the first of the credentials ends (turn_rest: "<seconds since 1970>:<name>"); nothing: none says.
  [[nodiscard]] std::optional<base::wall_time> expiry() const;
};

// turn_rest §2.2: the time before the colon.
[[nodiscard]] std::optional<base::wall_time> rest_expiry(std::string_view username) noexcept;

// When to ask for new ones: after half of what is left, at least a minute from now.
[[nodiscard]] base::duration renewal_delay(base::wall_time now, base::wall_time expiry) noexcept;

}  // namespace strata::mesh
