// RFC 5780 §4.6: one socket makes a mapping and is silent; later another asks the server to answer to the first one's outside
// port (RESPONSE-PORT). The answer comes through if the mapping is still there.
#pragma once

#include <optional>

#include "async/task.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

// Takes several times as long as mappings live, up to `limit` for each round. Errors: response_error(420) from a server that
// does not know RESPONSE-PORT; base::errc::unsupported where even a fresh mapping gets no such answer.
[[nodiscard]] async::task<base::result<nat_report::lifetime_range>> measure_lifetime(net::host& h, base::endpoint server,
                                                                                     base::duration limit);

}  // namespace strata::stun
