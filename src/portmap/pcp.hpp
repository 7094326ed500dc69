// The MAP messages of the Port Control Protocol, RFC 6887 §7.1, §7.2, §11.1, over UDP to port 5351 of the gateway.
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |  Version = 2  |R|   Opcode    |    Reserved   | Result Code   |    R: 0 request, 1 answer; no code in a request
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                    Lifetime (32 bits)                         |    seconds; 0 deletes
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |   request: the client's IP address (128 bits)                 |    IPv4 as ::ffff:a.b.c.d
//     |   answer: Epoch Time (32 bits), Reserved (96 bits)            |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                 Mapping Nonce (96 bits)                       |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |   Protocol    |          Reserved (24 bits)                   |    17: UDP
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |        Internal Port          | suggested, then assigned External Port |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |   suggested, then assigned External IP Address (128 bits)     |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "portmap/error.hpp"

namespace strata::portmap::pcp {

inline constexpr std::uint16_t port = 5351;
using mapping_nonce = std::array<std::uint8_t, 12>;

struct map_request {
  base::endpoint inside;
  mapping_nonce nonce{};  // RFC 6887 §11.2: the same for renewal and deletion, or the gateway refuses them
  std::uint32_t lifetime = 0;
  // What the mapping was before, to have it again; else its port, and no address of that family.
  base::endpoint suggested;
};
[[nodiscard]] base::bytes encode(const map_request& r);

struct map_answer {
  std::uint32_t lifetime = 0, epoch = 0;
  mapping_nonce nonce{};
  std::uint8_t protocol = 0;
  std::uint16_t inside_port = 0;
  base::endpoint outside;
  friend bool operator==(const map_answer&, const map_answer&) = default;
};

// Errors: malformed, or what the result code says (§7.4). Options are passed over (§8.3: what is not asked for is not there,
// and what is there and optional may be ignored).
[[nodiscard]] base::result<map_answer> read_map_answer(base::byte_view datagram);

// Does it answer this request, whatever it says: a MAP answer with its nonce, protocol and inside port (§11.4), or an answer
// too short or too old to have them: of a gateway that does not know version 2.
[[nodiscard]] bool answers(base::byte_view request, base::byte_view datagram) noexcept;

}  // namespace strata::portmap::pcp
