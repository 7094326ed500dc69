// TURN for ICE: an allocation as ICE wants a relay.
#pragma once

#include <span>
#include <vector>

#include "ice/relay.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"
#include "turn/allocation.hpp"

namespace strata::rtc {

// One source for each host, in their order. The ways to one host race: the first named gets a head start over the next, and
// whichever has an allocation first wins. UDP that is blocked costs a moment, and a server holds one allocation of ours.
[[nodiscard]] std::vector<ice::relay_source> relay_sources(net::host& host, std::span<const turn::server_info> servers,
                                                           trace::tracer tracer);

}  // namespace strata::rtc
