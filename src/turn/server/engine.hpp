// A TURN server without its sockets: every message in, what to do about it out. The ports of relayed addresses come from
// whoever holds the sockets. Nothing is kept of a client before it has made an allocation.
#pragma once

#include <string_view>

#include "stun/attributes/turn.hpp"
#include "stun/rate_limiter.hpp"
#include "turn/server/allocation_table.hpp"
#include "turn/server/authenticator.hpp"
#include "turn/server/counters.hpp"
#include "turn/server/own_addresses.hpp"
#include "turn/server/requests.hpp"

namespace strata::turn::server {

// Relayed addresses come from here and go back here.
class port_source {
 public:
  virtual ~port_source() = default;
  // The address that peers will see; nullopt: none is left.
  [[nodiscard]] virtual std::optional<base::endpoint> open(allocation_id id, base::ip_family f, bool even_port) = 0;
  virtual void close(allocation_id id, base::ip_family f) = 0;
};

// What a message from a client led to. `out` holds the answer when there is one.
struct outcome {
  enum class kind : std::uint8_t { dropped, answered, to_peer };
  kind what = kind::dropped;
  std::string_view reason{};  // dropped: why
  // to_peer:
  allocation_id from{};
  base::endpoint peer{};
  base::byte_view payload{};  // borrowed from the message
};

class engine {
 public:
  engine(rules_config c, own_addresses own, base::bytes nonce_secret, std::uint64_t limiter_seed, port_source& ports);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  // A STUN message or ChannelData as it came on that 5-tuple. Appends to `out`, which is empty before.
  outcome from_client(base::byte_view message, const five_tuple& tuple, moment t, base::bytes& out);
  // A datagram at a relayed address: what to send to the client on the allocation's 5-tuple is in `out`; nullptr: dropped.
  const five_tuple* from_peer(allocation_id id, const base::endpoint& peer, base::byte_view payload, base::instant now,
                              base::bytes& out);
  // The network says that something to this peer did not get there (RFC 8656 §11.5); as above.
  const five_tuple* from_network(allocation_id id, const base::endpoint& peer, const stun::icmp& what, base::instant now,
                                 base::bytes& out);
  // The client's TCP connection is gone, and its allocation with it.
  void client_gone(const five_tuple& tuple);

  // The machine has other addresses now.
  void set_machine(std::vector<base::ip_address> addresses) { own_.machine = std::move(addresses); }
  void expire(base::instant now);
  [[nodiscard]] base::instant next_expiry() const { return table_.next_expiry(); }
  [[nodiscard]] bool has_allocation(const five_tuple& tuple) { return table_.find(tuple) != nullptr; }
  [[nodiscard]] std::size_t allocations() const noexcept { return table_.size(); }
  [[nodiscard]] const server::counters& counted() const noexcept { return counters_; }
  [[nodiscard]] server::counters& counted() noexcept { return counters_; }

 private:
  struct request;    // one that is being answered
  using code = int;  // 0: success

  outcome on_request(const stun::message_view& m, const five_tuple& tuple, moment t, base::bytes& out);
  outcome on_binding(base::byte_view message, const five_tuple& tuple, moment t, base::bytes& out);
  outcome on_send(const stun::message_view& m, const five_tuple& tuple, moment t);
  outcome on_channel_data(base::byte_view message, const five_tuple& tuple, moment t);
  outcome to_peer(const allocation& a, const base::endpoint& peer, base::byte_view payload, moment t);
  code on_allocate(request& r);
  code open_relays(request& r, const allocate_request& wanted);
  code on_refresh(request& r);
  code on_create_permission(request& r);
  code on_channel_bind(request& r);
  void answer_allocate(const request& r, const allocation& a, stun::message_writer& w) const;
  outcome refuse(request& r, code c);
  outcome unauthenticated(request& r);
  void close_relay(allocation& a, base::ip_family f);
  void remove(allocation& a);
  outcome drop(std::uint64_t counters::* counter, std::string_view reason);

  rules_config config_;
  own_addresses own_;
  port_source& ports_;
  authenticator authenticator_;
  allocation_table table_;
  stun::rate_limiter limiter_;
  server::counters counters_;
};

}  // namespace strata::turn::server
