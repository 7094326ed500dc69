// Who somebody is, how a secret of theirs is kept, and what a peer is given for the TURN server. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "crypto/digest.hpp"

namespace strata::registry {

// admin: decides about pairings and keys. agent: a peer of the mesh. observer: looks and changes nothing.
enum class role : std::uint8_t { admin, agent, observer };
[[nodiscard]] std::string_view to_string(role r) noexcept;
[[nodiscard]] std::optional<role> role_from_name(std::string_view name) noexcept;  // exactly those three words

struct identity {
  std::string peer_id;
  registry::role role = role::agent;
  friend bool operator==(const identity&, const identity&) = default;
};

// A name that a credential may carry. The registry's own name in signaling is nobody's.
[[nodiscard]] bool valid_member_id(std::string_view peer_id) noexcept;

// What is kept of a key or token: its SHA-256. They are random (128 bits and more), so neither salt nor stretching adds
// anything.
using secret_digest = crypto::sha256_digest;
[[nodiscard]] secret_digest digest_of(std::string_view secret) noexcept;
[[nodiscard]] std::optional<secret_digest> digest_from_hex(std::string_view text);  // 64 digits

// The REST scheme of TURN servers (coturn: use-auth-secret): username "<expiry>:<peer>",
// credential = base64(HMAC-SHA1(secret, username)).
struct turn_credential {
  std::string username, credential;
};
turn_credential make_turn_credential(std::string_view secret, std::string_view peer_id, base::wall_time expires);

}  // namespace strata::registry
