// Runs the plan of nat_plan.hpp against real servers and judges what was seen (RFC 5780 §4). Takes four to eight seconds: it
// is by silence that a strict NAT shows itself.
#pragma once

#include <vector>

#include "async/task.hpp"
#include "net/host.hpp"
#include "stun/discovery/nat_judge.hpp"
#include "stun/discovery/nat_report.hpp"
#include "stun/discovery/probe_socket.hpp"
#include "trace/sink.hpp"

namespace strata::stun {

struct discovery_config {
  std::vector<base::endpoint> servers{};  // in the order of preference; at least one of RFC 5780 for all answers
  probe_options probes{};
  bool lifetime = false;  // measure it: many minutes
  base::duration lifetime_limit = std::chrono::minutes(10);
  surroundings around{};  // own: filled in from the host's interfaces
};

[[nodiscard]] async::task<nat_report> discover_nat(net::host& h, discovery_config config, trace::tracer tracer = {});

}  // namespace strata::stun
