#include "dtls/demux.hpp"

#include <doctest/doctest.h>

using namespace strata;
using dtls::packet_kind;

// req: 7983-7-a
// req: 7983-7-b
TEST_CASE("Every first byte belongs to the protocol that RFC 7983 gives it, and all others to none") {
  for (int first = 0; first < 256; ++first) {
    const packet_kind expected = first < 4                   ? packet_kind::stun
                                 : first >= 20 && first < 64 ? packet_kind::dtls
                                 : first >= 64 && first < 80 ? packet_kind::turn_channel
                                                             : packet_kind::other;
    const base::bytes datagram{static_cast<std::uint8_t>(first), 1, 2};
    CHECK(dtls::classify(datagram) == expected);
  }
  CHECK(dtls::classify(base::byte_view()) == packet_kind::other);
}
