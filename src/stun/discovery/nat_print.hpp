// A report for people and for programs.
#pragma once

#include <string>

#include "base/json.hpp"
#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

// "port-restricted cone: mapping endpoint-independent, filtering ..., 192.168.1.7:4000 -> 203.0.113.9:4000, ..."
[[nodiscard]] std::string as_line(const nat_report& r);
[[nodiscard]] std::string as_table(const nat_report& r);  // several lines, each with its end
[[nodiscard]] base::json as_json(const nat_report& r);

}  // namespace strata::stun
