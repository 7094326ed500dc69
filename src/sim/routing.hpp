// Which of its addresses a host speaks from (a small part of RFC 6724): rules only.
#pragma once

#include <optional>
#include <span>

#include "base/ip_address.hpp"
#include "net/host.hpp"

namespace strata::sim {

// Nothing: no address of that family reaches the destination.
std::optional<base::ip_address> select_source(std::span<const net::interface_address> own, const base::ip_address& to);

// The interface to which a socket that names a source address belongs.
const net::interface_address* find_address(std::span<const net::interface_address> own, const base::ip_address& a);

}  // namespace strata::sim
