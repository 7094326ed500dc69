// One request to a gateway over UDP, sent again until it is answered.
#pragma once

#include <functional>
#include <optional>

#include "async/task.hpp"
#include "base/result.hpp"
#include "net/host.hpp"

namespace strata::portmap {

using wait_function = std::function<std::optional<base::duration>(unsigned transmission)>;  // nothing: give up
using accept_function = std::function<bool(base::byte_view datagram)>;

// From a socket on `inside`, which the gateway takes for the owner of the mapping. Only what comes from the gateway's port is
// looked at (RFC 6886 §3.1, RFC 6887 §8.3). Errors: base::errc::timed_out, refused when nobody listens there, those of
// bind_udp.
[[nodiscard]] async::task<base::result<base::bytes>> exchange(net::host& h, base::ip_address inside, base::endpoint gateway,
                                                              base::bytes request, wait_function wait, accept_function accept);

}  // namespace strata::portmap
