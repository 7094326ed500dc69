// A router between a network inside and one outside: it may translate (nat.hpp), let pass only what its firewall allows, and
// carry only packets up to a size. Hosts and further routers stand behind it; the outermost networks are joined by the
// Internet, where everybody reaches everybody.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/nat.hpp"
#include "sim/packet.hpp"

namespace strata::sim {

struct firewall_policy {
  bool udp = true;                                        // from inside out, and what answers it
  std::optional<std::vector<std::uint16_t>> tcp_ports{};  // of servers outside; nothing: all
  bool reject = false;  // what it blocks is answered, as RFC 1812 §5.2.7.1 has it: UDP by ICMP, TCP by a reset; else silence
};

struct router_behaviour {
  std::optional<nat_behaviour> nat{};  // of IPv4; nothing: it forwards, and its firewall is stateful
  bool nat64 = false;                  // hosts inside have IPv6 only, and reach IPv4 as 64:ff9b::/96 (RFC 6146)
  bool ipv6 = true;                    // forwards IPv6, let in only what answers
  bool isolated = false;               // hosts inside do not reach each other directly
  firewall_policy firewall{};
  std::size_t mtu = 65535;   // bytes of an IP packet; larger datagrams are lost
  bool reports_mtu = false;  // and their senders told, if they forbade to cut them; else a black hole (RFC 2923 §2.1)
};

// Why a packet does not go on (static text; empty: it does), and what its sender is told, if anything.
struct refusal {
  std::string_view why;
  std::optional<base::errc> told = std::nullopt;
  [[nodiscard]] explicit operator bool() const noexcept { return !why.empty(); }
};

class router {
 public:
  router(std::string name, router_behaviour b, std::vector<base::ip_address> outside, router* parent, std::uint64_t seed);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] router* parent() const noexcept { return parent_; }
  [[nodiscard]] const router_behaviour& behaviour() const noexcept { return behaviour_; }
  [[nodiscard]] nat_table* nat() noexcept { return nat_ ? &*nat_ : nullptr; }

  // Faults.
  void reboot();                                                 // all mappings are lost
  void change_outside(std::vector<base::ip_address> addresses);  // and all mappings with them
  void set_firewall(firewall_policy p) { behaviour_.firewall = std::move(p); }

  // A packet that leaves, or comes in. It goes on, rewritten, or is refused.
  [[nodiscard]] refusal outbound(packet& p, base::instant now);
  [[nodiscard]] refusal inbound(packet& p, base::instant now);
  // Whether packets to this address, seen from outside, are its business by its own address.
  [[nodiscard]] bool has_outside(const base::ip_address& a) const noexcept;
  // Whether hosts inside are visible outside under their own addresses.
  [[nodiscard]] bool is_transparent(base::ip_family f) const noexcept;

 private:
  [[nodiscard]] refusal check_size(const packet& p) const noexcept;
  [[nodiscard]] refusal block(const packet& p, std::string_view why) const noexcept;  // by the firewall

  std::string name_;
  router_behaviour behaviour_;
  router* parent_;
  std::optional<nat_table> nat_;
  using conversation = std::tuple<protocol, base::endpoint, base::endpoint>;  // inside, remote
  std::map<conversation, base::instant> open_;                                // of the stateful firewall
};

// RFC 6052 §2.1: the well-known prefix.
[[nodiscard]] base::ip_address to_nat64(const base::ip_address& v4);
[[nodiscard]] std::optional<base::ip_address> from_nat64(const base::ip_address& v6) noexcept;

}  // namespace strata::sim
