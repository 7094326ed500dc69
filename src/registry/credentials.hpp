// Who may come in: API keys from a file, and what a peer is given for the TURN server. Pure.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::registry {

enum class keys_errc { not_an_object = 1, bad_entry, empty };
std::error_code make_error_code(keys_errc e) noexcept;

struct identity {
  std::string peer_id, role;
};

// Keys are kept as SHA-256 digests; the look-up takes the same time whatever is asked.
class api_keys {
 public:
  // {"keys": {"ak_…": {"peer_id", "role"}}} or the same without the wrapper. One bad entry spoils the file:
  // a key that is silently ignored is a peer that silently cannot come in.
  static base::result<api_keys> parse(std::string_view text);

  void add(std::string_view key, identity who);
  [[nodiscard]] const identity* find(std::string_view key) const;
  [[nodiscard]] bool names_peer(std::string_view peer_id) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    std::array<std::uint8_t, 32> digest;
    identity who;
  };
  std::vector<entry> entries_;
  std::set<std::string, std::less<>> peers_;
};

// The REST scheme of TURN servers (coturn: use-auth-secret): username "<expiry>:<peer>",
// credential = base64(HMAC-SHA1(secret, username)).
struct turn_credential {
  std::string username, credential;
};
turn_credential make_turn_credential(std::string_view secret, std::string_view peer_id, base::wall_time expires);

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::keys_errc> : std::true_type {};
