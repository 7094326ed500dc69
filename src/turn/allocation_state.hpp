// The parts of an allocation, for its procedures: allocate.cpp makes it, keep.cpp keeps it, relay.cpp moves packets.
#pragma once

#include <deque>

#include "async/async.hpp"
#include "stun/client.hpp"
#include "turn/allocation.hpp"
#include "turn/peers.hpp"
#include "turn/transport.hpp"

namespace strata::turn {

struct allocation::state {
  state(net::host& h, allocation_config c, std::unique_ptr<transport> w, trace::tracer t);

  net::host& host;
  const allocation_config config;
  const trace::tracer tracer;
  std::unique_ptr<transport> way;
  stun::client client;

  std::vector<base::endpoint> relayed;  // in the order of config.families, those that were granted
  base::endpoint mapped;
  std::optional<int> partial_refusal;
  base::duration lifetime{};
  base::instant expires{};

  base::instant last_sent{};  // anything, to the server

  peer_table peers;
  async::event work_for_peers;  // set: somebody new is wanted

  struct packet {
    base::endpoint peer;
    base::bytes payload;
  };
  std::deque<packet> held;  // until its permission is there
  std::size_t held_bytes = 0;
  std::deque<packet> inbox;
  std::size_t inbox_bytes = 0;
  std::vector<packet> lent;  // by the last receive()
  std::vector<net::datagram> batch;
  async::event arrived;  // pulsed

  std::function<void(const base::endpoint& peer, base::errc why)> report_peer;  // what the network said to the relay

  std::optional<base::error> ended;  // why it is over
  bool told = false;                 // the server knows, or has said so itself
  async::event over;
  allocation_counters counts;
  net::udp_counters socket_counts;

  [[nodiscard]] base::instant now() const { return host.now(); }
  [[nodiscard]] bool has_family(base::ip_family f) const noexcept;
  void end(base::error why);
  bool send(base::byte_view frame, bool is_channel_data);
};

// allocate.cpp
[[nodiscard]] async::task<base::result<void>> request_allocation(allocation::state& s);
// keep.cpp
[[nodiscard]] async::task<> keep_allocation(allocation::state& s);
[[nodiscard]] async::task<> keep_peers(allocation::state& s);
[[nodiscard]] async::task<> keep_path(allocation::state& s);
[[nodiscard]] async::task<> give_back(allocation::state& s);
// relay.cpp
[[nodiscard]] async::task<base::error> listen(allocation::state& s);  // until the way to the server is lost
bool relay_packet(allocation::state& s, const base::endpoint& to, base::byte_view payload);
void release_held(allocation::state& s);

}  // namespace strata::turn
