// What an allocation is found by (RFC 8656 §2, §6): client and server address and the transport between them.
#pragma once

#include <compare>
#include <cstdint>

#include "base/endpoint.hpp"

namespace strata::turn::server {

enum class client_transport : std::uint8_t { udp, tcp, tls };

struct five_tuple {
  base::endpoint client, server;
  client_transport transport = client_transport::udp;

  [[nodiscard]] bool is_stream() const noexcept { return transport != client_transport::udp; }
  friend auto operator<=>(const five_tuple&, const five_tuple&) = default;
};

enum class allocation_id : std::uint64_t {};

}  // namespace strata::turn::server
