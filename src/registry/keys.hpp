// API keys: who holds one, in which role, until when. Only their SHA-256 is kept. Pure: time is an argument.
//
// Every change comes as an outcome with the store's changes. The caller commits them before it acknowledges; when the commit
// fails it acknowledges nothing and goes back to what the store holds with load().
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/credentials.hpp"
#include "registry/digest_table.hpp"
#include "store/change.hpp"

namespace strata::registry {

enum class keys_errc { not_an_object = 1, bad_entry, empty, ambiguous, exists, revoked, not_found, full };
std::error_code make_error_code(keys_errc e) noexcept;

// What may be shown of a key.
struct key_view {
  std::string id;  // the first 16 digits of its digest: enough to name it, nothing to guess it by
  identity who;
  base::wall_time created{};
  std::optional<base::wall_time> revoked;
};

struct key_entry {
  std::string key;
  identity who;
};
// {"keys": {"ak_…": {"peer_id", "role"}}} or the same without the wrapper. One bad entry spoils the file: a key that is
// silently ignored is a peer that silently cannot come in.
base::result<std::vector<key_entry>> parse_key_file(std::string_view text);

class keys {
 public:
  static constexpr std::string_view table = "api_keys";  // name: the digest in hexadecimal
  static constexpr std::size_t most = 100'000;

  struct added {
    key_view key;
    store::changes changes;
  };
  struct imported {
    std::size_t added = 0, known = 0;
    std::vector<std::string> still_revoked;  // ids: the file names them, but a revoked key stays revoked
    store::changes changes;
  };
  struct revocation {
    std::vector<key_view> keys;
    std::vector<std::string> peers_without_key;  // those that lost their last one
    store::changes changes;
  };

  // "ak_" and 32 hexadecimal digits, from 16 random octets.
  static std::string make_key(std::span<const std::uint8_t, 16> random);

  base::result<void> load(std::span<const store::record> records);
  base::result<added> add(std::string_view key, identity who, base::wall_time now);
  base::result<imported> import_file(std::string_view text, base::wall_time now);  // all of it or nothing
  // By the id of one key, or by the peer id for all of its keys. Revoked ones are kept so that an import cannot bring them
  // back.
  base::result<revocation> revoke(std::string_view id_or_peer, base::wall_time now);

  [[nodiscard]] const identity* find(std::string_view key) const;
  [[nodiscard]] bool names_peer(std::string_view peer_id) const { return peers_.contains(peer_id); }  // by a key that is good
  [[nodiscard]] std::vector<key_view> list() const;                                                   // oldest first
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  struct kept {
    identity who;
    base::wall_time created{};
    std::optional<base::wall_time> revoked;
  };
  static key_view view(const secret_digest& d, const kept& k);
  static store::change change(const secret_digest& d, const kept& k);
  const kept& insert(const secret_digest& d, kept k);

  digest_table<kept> keys_;
  std::multiset<std::string, std::less<>> peers_;  // of the keys that are good, once for each
};

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::keys_errc> : std::true_type {};
