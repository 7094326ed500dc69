// Whom an allocation talks to: permissions (RFC 8656 §9) and channels (§12) as time tables. Rules: `now` is an argument; what
// is to be asked of the server comes out, what the server said goes in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/endpoint.hpp"
#include "base/ip_address.hpp"
#include "base/time.hpp"

namespace strata::turn {

inline constexpr base::duration permission_lifetime = std::chrono::minutes(5);  // §9: fixed
inline constexpr base::duration channel_lifetime = std::chrono::minutes(10);    // §12: fixed
inline constexpr base::duration channel_rest = std::chrono::minutes(5);         // §12: before a number serves another peer

class peer_table {
 public:
  static constexpr std::size_t most_permissions = 64, most_channels = 16;
  static constexpr unsigned packets_before_channel = 16;             // connectivity checks alone are not worth one
  static constexpr base::duration margin = std::chrono::minutes(1);  // asked for again so long before it ends
  static constexpr base::duration idle = std::chrono::minutes(10);   // then a permission is let go

  // Somebody wants to exchange packets with this address. False: the table is full of others in use.
  bool want(const base::ip_address& peer, base::instant now);
  [[nodiscard]] bool permitted(const base::ip_address& peer, base::instant now) const noexcept;
  [[nodiscard]] bool refused(const base::ip_address& peer, base::instant now) const noexcept;

  // A packet of the user's is about to go there. The number of its channel, when one is bound.
  std::optional<std::uint16_t> route(const base::endpoint& peer, base::instant now);
  [[nodiscard]] const base::endpoint* peer_of(std::uint16_t channel, base::instant now) const noexcept;

  // What to ask the server for now, and when to look again. What was given out is not given out again before an answer.
  [[nodiscard]] std::vector<base::ip_address> permissions_due(base::instant now);
  struct bind_request {
    std::uint16_t channel;
    base::endpoint peer;
    bool again;  // it has been bound
  };
  [[nodiscard]] std::optional<bind_request> channel_due(base::instant now);
  [[nodiscard]] base::instant next_due(base::instant now) const noexcept;

  // What it answered. A refusal is remembered for a while; any other failure is tried again soon.
  void granted(const base::ip_address& peer, base::instant now);
  void failed(const base::ip_address& peer, base::instant now, bool refused);
  void bound(std::uint16_t channel, base::instant now);
  void bind_failed(std::uint16_t channel, base::instant now);

  [[nodiscard]] std::size_t permissions() const noexcept { return permissions_.size(); }
  [[nodiscard]] std::size_t channels() const noexcept { return channels_.size(); }

 private:
  struct permission {
    base::instant until{}, used{}, again{};  // again: not asked for before
    bool asked = false, refused = false;
  };
  struct channel {
    base::endpoint peer;
    base::instant until{}, used{}, again{};
    bool asked = false;
  };
  std::map<base::ip_address, permission> permissions_;
  std::map<std::uint16_t, channel> channels_;
  std::map<base::endpoint, std::uint16_t> numbers_;
  std::map<base::endpoint, unsigned> traffic_;  // of peers without a channel; bounded

  void forget_idle(base::instant now);
  void consider_channel(const base::endpoint& peer, base::instant now);
};

// §7, §3.2: refreshed with some reserve for lost packets, and not later than after three quarters.
[[nodiscard]] constexpr base::duration refresh_delay(base::duration lifetime) noexcept {
  using namespace std::chrono_literals;
  return lifetime > 4min ? lifetime - 1min : lifetime * 3 / 4;
}

}  // namespace strata::turn
