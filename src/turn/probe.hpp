// Tries a TURN server out: an allocation, and packets through it back to ourselves, first in indications, then in a channel.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "turn/allocation.hpp"

namespace strata::turn {

struct probe_report {
  std::string server;
  std::string_view failed_at{};  // "allocation", "relaying", "channel"; empty: all is well
  std::string error{};           // in words
  std::vector<base::endpoint> relayed{};
  base::endpoint mapped{};  // this machine, as the server sees it
  base::duration lifetime{};
  base::duration allocation_time{};                        // with look-up, connection and challenge
  std::optional<base::duration> round_trip, in_channel{};  // through the relay and back
  std::optional<int> partial_refusal{};                    // why there is no address of the other family

  [[nodiscard]] bool ok() const noexcept { return failed_at.empty(); }
};

[[nodiscard]] async::task<probe_report> probe(net::host& h, allocation_config c, trace::tracer t = {});

}  // namespace strata::turn
