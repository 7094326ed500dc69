// Which tier a connection to a peer will come to, by what is in front of both (table: nat_forecast.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

enum class tier : std::uint8_t { direct, relay, task_queue };
std::string_view to_string(tier t) noexcept;

// The kinds of peers that make a difference, and what one's own side counts as.
enum class standing : std::uint8_t { open, full_cone, restricted, port_restricted, symmetric, udp_blocked };
inline constexpr std::array all_standings{standing::open,       standing::full_cone,
                                          standing::restricted, standing::port_restricted,
                                          standing::symmetric,  standing::udp_blocked};
std::string_view to_string(standing s) noexcept;

// What is unknown counts as the strictest it may be. A port that the gateway gave counts as a full cone, unless there is
// another NAT behind it.
[[nodiscard]] standing standing_of(const nat_report& r) noexcept;

// Without a relay that both reach, what would be relayed goes through the task queue.
[[nodiscard]] tier forecast(standing mine, standing theirs, bool relay_available = true) noexcept;

}  // namespace strata::stun
