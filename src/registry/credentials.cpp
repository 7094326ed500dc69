#include "registry/credentials.hpp"

#include "base/base64.hpp"
#include "base/json.hpp"
#include "crypto/hmac.hpp"
#include "registry/jwt.hpp"
#include "signaling/message.hpp"

namespace strata::registry {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "api keys"; }
  std::string message(int value) const override {
    switch (static_cast<keys_errc>(value)) {
      case keys_errc::not_an_object: return "the key file is not a JSON object";
      case keys_errc::bad_entry: return "an entry of the key file is wrong";
      case keys_errc::empty: return "the key file holds no keys";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(keys_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

base::result<api_keys> api_keys::parse(std::string_view text) {
  const auto file = base::json::parse(text);
  if (!file) return base::fail(file.error());
  const auto* wrapped = file->find("keys");
  const auto* entries = (wrapped != nullptr ? *wrapped : *file).as_object();
  if (entries == nullptr)
    return base::fail(keys_errc::not_an_object, base::error::nowhere, "{\"keys\": {\"<key>\": {\"peer_id\", \"role\"}}}");
  if (entries->empty()) return base::fail(keys_errc::empty);
  api_keys keys;
  for (const auto& [key, entry] : *entries) {
    const auto peer = entry.text("peer_id");
    const auto role = entry.text("role");
    if (key.size() < 8) return base::fail(keys_errc::bad_entry, base::error::nowhere, "keys of at least 8 characters");
    if (!signaling::valid_peer_id(peer))
      return base::fail(keys_errc::bad_entry, base::error::nowhere, "a peer_id of 1-128 visible ASCII characters");
    if (role.empty()) return base::fail(keys_errc::bad_entry, base::error::nowhere, "a role");
    if (keys.find(key) != nullptr) return base::fail(keys_errc::bad_entry, base::error::nowhere, "each key once");
    keys.add(key, identity{std::string(peer), std::string(role)});
  }
  return keys;
}

void api_keys::add(std::string_view key, identity who) {
  peers_.insert(who.peer_id);
  entries_.push_back({crypto::sha256(base::as_bytes(key)), std::move(who)});
}

const identity* api_keys::find(std::string_view key) const {
  const auto digest = crypto::sha256(base::as_bytes(key));
  const identity* found = nullptr;
  for (const auto& e : entries_)
    if (crypto::constant_time_equal(e.digest, digest)) found = &e.who;
  return found;
}

bool api_keys::names_peer(std::string_view peer_id) const { return peers_.contains(peer_id); }

turn_credential make_turn_credential(std::string_view secret, std::string_view peer_id, base::wall_time expires) {
  turn_credential c;
  c.username = std::to_string(unix_seconds(expires)) + ":" + std::string(peer_id);
  const base::byte_view part = base::as_bytes(c.username);
  c.credential = base::base64_encode(crypto::hmac_sha1(base::as_bytes(secret), std::span(&part, 1)));
  return c;
}

}  // namespace strata::registry
