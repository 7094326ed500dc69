#include "registry/credentials.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "crypto/hmac.hpp"
#include "registry/stored.hpp"
#include "signaling/relay.hpp"

namespace strata::registry {

std::string_view to_string(role r) noexcept {
  switch (r) {
    case role::admin: return "admin";
    case role::agent: return "agent";
    case role::observer: return "observer";
  }
  return "observer";
}

std::optional<role> role_from_name(std::string_view name) noexcept {
  for (const auto r : {role::admin, role::agent, role::observer})
    if (to_string(r) == name) return r;
  return std::nullopt;
}

bool valid_member_id(std::string_view peer_id) noexcept {
  return signaling::valid_peer_id(peer_id) && peer_id != signaling::registry_id;
}

secret_digest digest_of(std::string_view secret) noexcept { return crypto::sha256(base::as_bytes(secret)); }

std::optional<secret_digest> digest_from_hex(std::string_view text) {
  secret_digest d;
  if (text.size() != 2 * d.size()) return std::nullopt;
  const auto octets = base::from_hex(text);
  if (!octets || octets->size() != d.size()) return std::nullopt;
  std::ranges::copy(*octets, d.begin());
  return d;
}

turn_credential make_turn_credential(std::string_view secret, std::string_view peer_id, base::wall_time expires) {
  turn_credential c;
  c.username = std::to_string(unix_seconds(expires)) + ":" + std::string(peer_id);
  const base::byte_view part = base::as_bytes(c.username);
  c.credential = base::base64_encode(crypto::hmac_sha1(base::as_bytes(secret), std::span(&part, 1)));
  return c;
}

}  // namespace strata::registry
