// A NAT as mapping × filtering × port allocation (RFC 4787 §4, §5). Rules: the table is told the time and draws from a seeded
// generator; who carries the packets is router.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "sim/generator.hpp"
#include "sim/packet.hpp"
#include "sim/tcp_session.hpp"

namespace strata::sim {

// What a mapping, or the permission to come in through one, depends on.
enum class dependence : std::uint8_t { endpoint_independent, address_dependent, address_and_port_dependent };
enum class port_allocation : std::uint8_t { preserving, sequential, random };

struct nat_behaviour {
  dependence mapping = dependence::endpoint_independent;
  dependence filtering = dependence::address_and_port_dependent;
  port_allocation ports = port_allocation::preserving;
  bool hairpin = false;                                      // RFC 4787 §6
  base::duration mapping_timeout = std::chrono::minutes(2);  // §4.3: REQ-5; refreshed by what goes out
  tcp_timeouts tcp{};                                        // a mapping ends with the last connection that uses it
};

class nat_table {
 public:
  nat_table(nat_behaviour b, std::vector<base::ip_address> outside, generator g)
      : behaviour_(b), outside_(std::move(outside)), generator_(g) {}

  // A packet from inside: what its source becomes. Nothing: there is no outside address of the family, or no port left.
  // `family`: of the outside, which a NAT64 changes. `kind`: of a TCP segment.
  [[nodiscard]] std::optional<base::endpoint> outbound(protocol p, const base::endpoint& inside, const base::endpoint& remote,
                                                       base::ip_family family, base::instant now,
                                                       segment_kind kind = segment_kind::data);
  // A packet from outside: whom it is for, or why it goes nowhere (static text).
  struct verdict {
    std::optional<base::endpoint> inside;
    std::string_view dropped;
  };
  [[nodiscard]] verdict inbound(protocol p, const base::endpoint& outside, const base::endpoint& remote, base::instant now,
                                segment_kind kind = segment_kind::data);

  void forget_all() noexcept;  // somebody pulled the plug
  void set_outside(std::vector<base::ip_address> addresses) { outside_ = std::move(addresses); }
  [[nodiscard]] const std::vector<base::ip_address>& outside() const noexcept { return outside_; }
  [[nodiscard]] const nat_behaviour& behaviour() const noexcept { return behaviour_; }
  [[nodiscard]] std::size_t mappings() const noexcept { return by_inside_.size(); }

 private:
  using inside_key = std::tuple<protocol, base::endpoint, base::endpoint, base::ip_family>;  // remote blurred by dependence
  using outside_key = std::pair<protocol, base::endpoint>;
  struct mapping {
    inside_key key;
    base::instant last_out{};
    std::map<base::endpoint, base::instant> let_in;     // remotes, blurred by dependence, when we last wrote to them
    std::map<base::endpoint, tcp_session> connections;  // TCP: instead of both, by remote
  };

  [[nodiscard]] static base::endpoint blur(const base::endpoint& remote, dependence d) noexcept;
  [[nodiscard]] bool lets_in(const mapping& m, const base::endpoint& remote) const;
  [[nodiscard]] bool forgotten(protocol p, mapping& m, base::instant now) const;
  [[nodiscard]] std::optional<base::endpoint> allocate(protocol p, const base::endpoint& inside, base::ip_family family);
  void expire(base::instant now);

  nat_behaviour behaviour_;
  std::vector<base::ip_address> outside_;
  generator generator_;
  std::uint16_t next_port_ = 20000;
  std::map<inside_key, base::endpoint> by_inside_;
  std::map<outside_key, mapping> by_outside_;
};

}  // namespace strata::sim
