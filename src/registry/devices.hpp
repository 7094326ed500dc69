// The tokens of paired devices: random, kept as their SHA-256, gone when revoked. Pure.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/credentials.hpp"
#include "registry/digest_table.hpp"
#include "store/change.hpp"

namespace strata::registry {

class devices {
 public:
  static constexpr std::string_view table = "devices";  // name: the digest in hexadecimal

  struct minted {
    std::string token;  // "dt_" and 32 hexadecimal digits; the only time it is seen
    store::changes changes;
  };

  base::result<void> load(std::span<const store::record> records);
  [[nodiscard]] minted mint(std::string_view peer_id, base::wall_time now, std::span<const std::uint8_t, 16> random);
  [[nodiscard]] store::changes revoke_peer(std::string_view peer_id);

  [[nodiscard]] const identity* find(std::string_view token) const;  // its role is always agent
  [[nodiscard]] bool names_peer(std::string_view peer_id) const { return peers_.contains(peer_id); }
  [[nodiscard]] std::size_t size() const noexcept { return devices_.size(); }

 private:
  void insert(const secret_digest& d, std::string peer_id);

  digest_table<identity> devices_;
  std::multiset<std::string, std::less<>> peers_;
};

}  // namespace strata::registry
