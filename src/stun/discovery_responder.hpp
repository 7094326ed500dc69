// What a server of RFC 5780 §6.1 answers: a Binding answer from another of its four addresses, to another port, or padded,
// as the request wishes. A pure function, like binding_responder.
//
// Such an answer is more than three times as long as a bare request, and RESPONSE-PORT sends it where nobody asked from. That
// is what a server of this kind is for, and what makes it worth abusing: its caller gives each source a small budget of these
// (binding_server), and bare answers of 1.6 times the request beyond it.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "stun/binding_responder.hpp"

namespace strata::stun {

// RFC 5780 §6.1: a request came to Da:Dp; the alternates are Ca and Cp.
struct discovery_place {
  base::endpoint here;   // Da:Dp
  base::endpoint other;  // Ca:Cp: the address and the port both differ
  // Where the answer to these flags leaves from.
  [[nodiscard]] base::endpoint origin(bool change_ip, bool change_port) const noexcept {
    return {change_ip ? other.address : here.address, change_port ? other.port : here.port};
  }
};

struct discovery_answer {
  responder_verdict verdict = responder_verdict::not_stun;
  bool change_ip = false, change_port = false;  // from where
  base::endpoint to;                            // the source, or its RESPONSE-PORT
  bool special = false;                         // asked for by an attribute of RFC 5780: there is no bare answer instead
};

// Appends the answer to `out`, which stays as it is where there is none. RFC 3489 clients are never served (RFC 5780 §3).
[[nodiscard]] discovery_answer respond_discovery(const responder_policy& policy, const discovery_place& place,
                                                 base::byte_view datagram, const base::endpoint& from, base::bytes& out);

}  // namespace strata::stun
