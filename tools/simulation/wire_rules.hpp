// What no daemon may put on the wire, whatever happens to it. Fed with every packet of a run; rules only.
//
//  - Toward an address that has proved nothing (the enemy's), 1.6 octets leave at most for each that came from there: a Binding
//    response with its mapped address is as long beside the shortest request (RFC 8489: 32 and 20 octets).
//  - What is not STUN goes only where a packet has come from within the time that consent lasts (RFC 7675 §5.1: 30 s).
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "sim/packet.hpp"

namespace strata::simulation {

class wire_rules {
 public:
  void unproved(const base::ip_address& a) { unproved_.insert(a); }
  void saw(const sim::packet_event& e);
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }

 private:
  using direction = std::pair<base::endpoint, base::endpoint>;  // ours, theirs
  struct account {
    std::size_t came = 0, left = 0;  // octets
  };
  std::set<base::ip_address> unproved_;
  std::map<direction, account> accounts_;
  std::map<direction, base::instant> heard_;
  std::string broken_;
};

}  // namespace strata::simulation
