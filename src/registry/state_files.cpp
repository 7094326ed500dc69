#include "registry/state_files.hpp"

#include <filesystem>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "registry/jwt.hpp"
#include "registry/keys.hpp"
#include "signaling/message.hpp"

namespace strata::registry {
namespace {

// The secret of that name in the directory, which is made (0700, the file 0600) when it is missing.
told<base::bytes> kept_secret(net::host& h, const std::string& directory, const std::string& name) {
  const auto path = directory + "/" + name;
  std::error_code trouble;
  if (!std::filesystem::exists(path, trouble)) {
    if (auto failed = store::make_private_directory(directory); !failed.empty()) return tl::unexpected(std::move(failed));
    base::bytes fresh(shortest_key);
    h.random(fresh);
    if (auto failed = write_file(path, base::to_hex(fresh) + "\n", 0600); !failed.empty())
      return tl::unexpected(std::move(failed));
  }
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto secret = base::from_hex(*text);
  if (!secret || secret->size() < shortest_key)
    return tl::unexpected(path + ": not a secret of at least 32 octets in hexadecimal");
  return std::move(*secret);
}

}  // namespace

told<base::bytes> token_secret(net::host& h, const std::string& given, const std::string& directory) {
  if (!given.empty()) {
    if (given.size() < shortest_key)
      return tl::unexpected(std::string("SIGNALING_SECRET is too short: at least 32 characters"));
    return base::to_bytes(given);
  }
  return kept_secret(h, directory, "token-secret");
}

told<std::string> turn_secret(net::host& h, const std::string& directory) {
  return kept_secret(h, directory, "turn-secret").map([](const base::bytes& secret) { return base::to_hex(secret); });
}

told<std::string> add_key(net::host& h, const std::string& keys_file, const std::string& peer, const std::string& role) {
  if (keys_file.empty()) return tl::unexpected(std::string("--keys FILE says which file to add to"));
  if (!signaling::valid_peer_id(peer)) return tl::unexpected("'" + peer + "' is no peer id: 1 to 128 visible ASCII characters");
  if (!role_from_name(role)) return tl::unexpected("'" + role + "' is no role: admin, agent or observer");
  base::json all = base::json::make({{"keys", base::json::object()}});
  if (std::error_code unused; std::filesystem::exists(keys_file, unused)) {
    const auto text = read_file(keys_file);
    if (!text) return tl::unexpected(text.error());
    const auto v = base::json::parse(*text);
    if (!v || !v->is_object()) return tl::unexpected(keys_file + ": not a JSON object");
    all = v->find("keys") != nullptr ? *v : base::json::make({{"keys", *v}});
  }
  std::array<std::uint8_t, 16> random;
  h.random(random);
  const auto key = keys::make_key(random);
  auto entries = *all.find("keys");
  if (!entries.is_object()) return tl::unexpected(keys_file + ": \"keys\" is not an object");
  entries.set(key, base::json::make({{"peer_id", peer}, {"role", role}}));
  all.set("keys", std::move(entries));
  if (auto failed = write_file(keys_file, all.dump() + "\n", 0600); !failed.empty()) return tl::unexpected(std::move(failed));
  return key;
}

}  // namespace strata::registry
