// What no daemon may put on the wire, whatever happens to it. Fed with every packet of a run; rules only.
//
//  - Toward an address that has proved nothing, 1.6 octets leave at most for each that came from there: a Binding response with
//    its mapped address is as long beside the shortest request (RFC 8489: 32 and 20 octets). Whoever sends the
//    check of somebody else before that one comes has its proof with it, and gets an answer and a check, sent twice: 2.7.
//    Neither ever gets anything but STUN. A relay has to name its realm and a nonce to whoever asks (RFC 8489 §9.2.4), six
//    times the shortest request; it limits how often (turn/server/limiter).
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
  // most: tenths of an octet for an octet.
  void unproved(const base::ip_address& a, std::size_t most = 16) { unproved_[a] = most; }
  // A relay is no peer: it sends what its clients have consent for, and they hand it nothing else.
  void forwards(const base::ip_address& a) { relays_.insert(a); }
  void saw(const sim::packet_event& e);
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }

 private:
  using direction = std::pair<base::endpoint, base::endpoint>;  // ours, theirs
  struct account {
    std::size_t came = 0, left = 0;  // octets
  };
  std::map<base::ip_address, std::size_t> unproved_;
  std::set<base::ip_address> relays_;
  std::map<direction, account> accounts_;
  std::map<direction, base::instant> heard_;
  std::string broken_;
};

}  // namespace strata::simulation
