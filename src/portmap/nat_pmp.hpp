// The messages of NAT-PMP, RFC 6886 §3.2, §3.3, over UDP to port 5351 of the gateway.
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     | Vers = 0      | OP = 0        |                                    what is your outside address
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     | Vers = 0      | OP = 128 + 0  | Result Code                   |    it is this
//     | Seconds Since Start of Epoch                                  |
//     | External IPv4 Address                                         |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     | Vers = 0      | OP = 1 (UDP)  | Reserved                      |    map; with lifetime 0: delete
//     | Internal Port                 | Suggested External Port       |
//     | Requested Lifetime in Seconds                                 |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     | Vers = 0      | OP = 128 + 1  | Result Code                   |    done
//     | Seconds Since Start of Epoch                                  |
//     | Internal Port                 | Mapped External Port          |
//     | Lifetime in Seconds                                           |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "portmap/error.hpp"

namespace strata::portmap::nat_pmp {

inline constexpr std::uint16_t port = 5351;

[[nodiscard]] base::bytes address_request();
// RFC 6886 §3.4: to delete a mapping is to ask for it with lifetime and outside port zero.
[[nodiscard]] base::bytes map_request(std::uint16_t inside, std::uint16_t suggested, std::uint32_t lifetime);

struct address_answer {
  std::uint32_t epoch = 0;
  base::ip_address outside;
  friend bool operator==(const address_answer&, const address_answer&) = default;
};
struct map_answer {
  std::uint32_t epoch = 0;
  std::uint16_t inside = 0, outside = 0;
  std::uint32_t lifetime = 0;
  friend bool operator==(const map_answer&, const map_answer&) = default;
};

// Errors: malformed, or what the result code says (§3.5). §3.5 also: an answer may be longer than it need be.
[[nodiscard]] base::result<address_answer> read_address_answer(base::byte_view datagram);
[[nodiscard]] base::result<map_answer> read_map_answer(base::byte_view datagram);

// Is this an answer to that kind of request, whatever it says: version 0, and the request's opcode with the top bit. An error
// of a gateway that knows the version only as another one is an answer to any request.
[[nodiscard]] bool answers(base::byte_view request, base::byte_view datagram) noexcept;

}  // namespace strata::portmap::nat_pmp
