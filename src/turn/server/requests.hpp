// What TURN requests and indications ask for, read and checked in the order of the RFC, before anything is done about it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "stun/message_view.hpp"
#include "turn/server/allocation.hpp"
#include "turn/server/own_addresses.hpp"

namespace strata::turn::server {

struct refusal {
  int code = 400;
};
template <class T>
using asked = tl::expected<T, refusal>;

// The comprehension-required attributes that a method may carry beside those of RFC 8489; empty for unknown methods.
// DONT-FRAGMENT is in none: our sockets cannot set DF for one datagram and not for the next, and RFC 8656 §7.2 and §11.2 make
// it an unknown attribute then.
[[nodiscard]] std::span<const stun::attribute_type> known_attributes(stun::method m) noexcept;

[[nodiscard]] bool offers(const rules_config& c, base::ip_family f) noexcept;

struct allocate_request {
  std::vector<base::ip_family> families;  // in the order in which they are wished for
  bool both = false;                      // ADDITIONAL-ADDRESS-FAMILY: one of the two is better than none
  bool even_port = false;
  base::duration lifetime{};
};
// RFC 8656 §7.2, checks 3 to 9. `c.relay` says which families there are.
[[nodiscard]] asked<allocate_request> read_allocate(const stun::message_view& m, const rules_config& c);

struct refresh_request {
  std::vector<base::ip_family> families;  // that the allocation has
  base::duration lifetime{};              // 0: delete
};
[[nodiscard]] asked<refresh_request> read_refresh(const stun::message_view& m, const allocation& a, const rules_config& c);

[[nodiscard]] asked<std::vector<base::ip_address>> read_create_permission(const stun::message_view& m, const allocation& a,
                                                                          const peer_policy& policy, const own_addresses& own);

struct channel_bind_request {
  std::uint16_t number = 0;
  base::endpoint peer;
};
[[nodiscard]] asked<channel_bind_request> read_channel_bind(const stun::message_view& m, const allocation& a,
                                                            const peer_policy& policy, const own_addresses& own);

struct send_indication {
  base::endpoint peer;
  base::byte_view data;  // borrowed
};
[[nodiscard]] std::optional<send_indication> read_send(const stun::message_view& m);

// RFC 8656 §7.2, §8.2: what was asked for, but neither less than the default nor more than the largest.
[[nodiscard]] base::duration granted_lifetime(std::optional<std::uint32_t> seconds, const rules_config& c) noexcept;

}  // namespace strata::turn::server
