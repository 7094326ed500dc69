#include "registry/devices.hpp"

#include <vector>

#include "base/hex.hpp"
#include "registry/stored.hpp"

namespace strata::registry {

void devices::insert(const secret_digest& d, std::string peer_id) {
  peers_.insert(peer_id);
  devices_.insert(d, {std::move(peer_id), role::agent});
}

base::result<void> devices::load(std::span<const store::record> records) {
  devices fresh;
  for (const auto& r : records) {
    const auto digest = digest_from_hex(r.name);
    stored_reader v(r.value);
    auto peer = v.text("peer_id");
    (void)v.time("created");
    if (!digest || !v.good() || !valid_member_id(peer) || fresh.devices_.find(*digest) != nullptr)
      return base::fail(stored_errc::damaged, base::error::nowhere, "a device");
    fresh.insert(*digest, std::move(peer));
  }
  *this = std::move(fresh);
  return {};
}

devices::minted devices::mint(std::string_view peer_id, base::wall_time now, std::span<const std::uint8_t, 16> random) {
  minted out{"dt_" + base::to_hex(random), {}};
  const auto d = digest_of(out.token);
  insert(d, std::string(peer_id));
  out.changes.push_back(
      {std::string(table), base::to_hex(d), base::json::make({{"peer_id", peer_id}, {"created", unix_seconds(now)}}).dump()});
  return out;
}

store::changes devices::revoke_peer(std::string_view peer_id) {
  std::vector<secret_digest> gone;
  devices_.each([&](const secret_digest& d, const identity& who) {
    if (who.peer_id == peer_id) gone.push_back(d);
  });
  store::changes changes;
  for (const auto& d : gone) {
    devices_.erase(d);
    changes.push_back({std::string(table), base::to_hex(d), std::nullopt});
  }
  peers_.erase(std::string(peer_id));
  return changes;
}

const identity* devices::find(std::string_view token) const { return devices_.find(digest_of(token)); }

}  // namespace strata::registry
