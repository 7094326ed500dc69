// From observations to a report. A pure function: the tables of tests/stun/nat_judge.cpp are its definition.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.hpp"
#include "stun/discovery/nat_plan.hpp"
#include "stun/discovery/nat_report.hpp"

namespace strata::stun {

// What is known beside the answers of servers.
struct surroundings {
  std::vector<base::ip_address> own;  // the addresses of this machine
  // The gateway's own outside address, and what it gives on request (PCP, NAT-PMP, UPnP). Somebody else asks it.
  std::optional<base::ip_address> gateway_outside{};
  std::optional<base::endpoint> port_mapping{};
  std::string port_mapping_protocol{};
};

[[nodiscard]] nat_report judge_nat(const std::vector<observation>& seen, const surroundings& around);

// 100.64.0.0/10, RFC 6598: between a carrier's NAT and its customers.
[[nodiscard]] bool is_shared_address_space(const base::ip_address& a) noexcept;

}  // namespace strata::stun
