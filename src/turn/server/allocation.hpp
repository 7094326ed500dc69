// One allocation: its relayed addresses, its permissions and its channels, with the time at which each of them ends
// (RFC 8656 §6, §9, §12). What has ended is treated as gone; it is swept out when something new needs the room.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"
#include "stun/transaction_id.hpp"
#include "turn/server/config.hpp"
#include "turn/server/five_tuple.hpp"

namespace strata::turn::server {

class allocation {
 public:
  allocation(allocation_id id, five_tuple tuple, std::string username, stun::transaction_id made_by)
      : id_(id), tuple_(tuple), username_(std::move(username)), made_by_(made_by) {}

  [[nodiscard]] allocation_id id() const noexcept { return id_; }
  [[nodiscard]] const five_tuple& tuple() const noexcept { return tuple_; }
  [[nodiscard]] const std::string& username() const noexcept { return username_; }
  // Of the request that made it: the same id on the same 5-tuple is that request again (RFC 8656 §7.2, note).
  [[nodiscard]] const stun::transaction_id& made_by() const noexcept { return made_by_; }

  // Relayed addresses, one of each family at most.
  void add_relay(const base::endpoint& address, base::instant expires) {
    relay_of(address.address.family()) = {address, expires};
  }
  [[nodiscard]] std::optional<base::endpoint> relayed(base::ip_family f) const;
  [[nodiscard]] bool has(base::ip_family f) const noexcept { return relay_of(f).has_value(); }
  [[nodiscard]] bool empty() const noexcept { return !relays_[0] && !relays_[1]; }
  // Takes the family's permissions and channels with it, and no others (RFC 8656 §8.1).
  void remove(base::ip_family f);
  void refresh(base::ip_family f, base::instant expires);
  [[nodiscard]] base::instant expires(base::ip_family f) const;
  [[nodiscard]] base::instant first_expiry() const;  // never: no relay left

  // All of them or none: false when they are more than `most` together with what there is.
  [[nodiscard]] bool permit(std::span<const base::ip_address> peers, base::instant now, const rules_config& c);
  [[nodiscard]] bool permitted(const base::ip_address& peer, base::instant now) const;

  enum class bind_verdict : std::uint8_t { bound, conflict, full };
  // Makes or refreshes the channel and the permission for its peer.
  [[nodiscard]] bind_verdict bind(std::uint16_t number, const base::endpoint& peer, base::instant now, const rules_config& c);
  [[nodiscard]] std::optional<base::endpoint> peer_of(std::uint16_t number, base::instant now) const;
  [[nodiscard]] std::optional<std::uint16_t> channel_of(const base::endpoint& peer, base::instant now) const;

  [[nodiscard]] std::size_t permissions() const noexcept { return permissions_.size(); }
  [[nodiscard]] std::size_t channels() const noexcept { return channels_.size(); }
  [[nodiscard]] bool invariant() const;

 private:
  struct relay {
    base::endpoint address;
    base::instant expires;
  };
  struct channel {
    base::endpoint peer;
    base::instant expires;
  };
  [[nodiscard]] std::optional<relay>& relay_of(base::ip_family f) noexcept { return relays_[static_cast<std::size_t>(f)]; }
  [[nodiscard]] const std::optional<relay>& relay_of(base::ip_family f) const noexcept {
    return relays_[static_cast<std::size_t>(f)];
  }
  void sweep(base::instant now);

  allocation_id id_;
  five_tuple tuple_;
  std::string username_;
  stun::transaction_id made_by_;
  std::array<std::optional<relay>, 2> relays_;
  std::map<base::ip_address, base::instant> permissions_;
  std::map<std::uint16_t, channel> channels_;
  std::map<base::endpoint, std::uint16_t> numbers_;
};

}  // namespace strata::turn::server
