// What a STUN server answers to a datagram (RFC 8489 §6.3.1, §12). A pure function of the datagram and where it came from, so a
// retransmitted request gets the same answer without anything being remembered.
//
// The answer is bare: XOR-MAPPED-ADDRESS and nothing else, no reason phrase in errors. A STUN server on the open network is
// used to reflect floods at others; 20 bytes in and 32 out (IPv4) gives the least to gain.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"

namespace strata::stun {

struct responder_policy {
  bool serve_rfc3489 = true;  // requests without a cookie, answered with MAPPED-ADDRESS (RFC 8489 §12)
  std::string software{};     // RFC 8489 §6.3.1.1 would like it; empty keeps the answer small
};

enum class responder_verdict : std::uint8_t {
  answered,   // success
  refused,    // 420, an error response
  not_stun,   // dropped in silence, as are the following
  malformed,  // looks like STUN and is not
  bad_fingerprint,
  not_a_request,  // indications and responses never get an answer
  unknown_method,
};

// Appends the answer to `out`, which stays as it is where there is none.
responder_verdict respond_binding(const responder_policy& policy, base::byte_view datagram, const base::endpoint& from,
                                  base::bytes& out);

}  // namespace strata::stun
