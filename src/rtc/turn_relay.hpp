// TURN for ICE: an allocation as ICE wants a relay.
#pragma once

#include <span>
#include <vector>

#include "ice/relay.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"
#include "turn/allocation.hpp"

namespace strata::rtc {

// One source for each server, in their order.
[[nodiscard]] std::vector<ice::relay_source> relay_sources(net::host& host, std::span<const turn::server_info> servers,
                                                           trace::tracer tracer);

}  // namespace strata::rtc
