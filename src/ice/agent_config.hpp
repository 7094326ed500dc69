// What an agent is told when it is made. The defaults are those of the RFCs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ice/interface_list.hpp"
#include "ice/relay.hpp"
#include "net/host.hpp"

namespace strata::ice {

using namespace std::chrono_literals;

// Which of our candidates take part (RFC 8828 calls such choices modes). relay: nobody learns an address of this machine but
// the relay. host: no server learns that this machine connects to somebody.
enum class candidate_policy : std::uint8_t { all, relay, host };

// RFC 6544. active: we connect, and nobody can connect to us. all: we listen, too, and open simultaneously.
enum class tcp_policy : std::uint8_t { none, active, all };

struct agent_config {
  bool controlling = false;  // RFC 8445 §6.1.1: the side that offers first
  candidate_policy policy = candidate_policy::all;
  std::vector<base::endpoint> stun_servers{};
  std::vector<relay_source> relays{};  // best first
  tcp_policy tcp = tcp_policy::none;

  bool ipv6 = true;
  bool allow_loopback = false;  // RFC 8445 §5.1.1.1 forbids it; for development on a machine without a network
  interface_list interfaces{};  // RFC 8445 §19.1
  // Where sockets come from: several agents may share a port. Empty: a port of its own for each address.
  std::function<base::result<std::unique_ptr<net::udp_socket>>(const base::ip_address& local, std::string_view ufrag)>
      open_socket{};
  // An outside address for a socket of ours that the gateway forwards (port mapping); empty: nobody is asked. Time-boxed by
  // whoever does it; candidates appear when they appear.
  std::function<async::task<base::result<base::endpoint>>(base::endpoint inside)> map_port{};

  // Pairs are kept after the nomination, and another one is nominated when it is better or when the chosen one does not
  // answer any more. Only with a peer that says the same.
  bool renomination = false;

  // RFC 8445 §14.2: not below 5 ms. Another value than 50 ms must be signaled; the larger of both sides' counts.
  base::duration pacing = 50ms;
  base::duration rto = 500ms;                // RFC 8445 §14.3: not below 500 ms
  base::duration patience = 39'500ms;        // RFC 8863 §4: nothing fails before
  base::duration consent_interval = 5s;      // RFC 7675 §5.1: not below 4 s; randomised by 20 %
  base::duration consent_lifetime = 30s;     // RFC 7675 §5.1: at most 30 s
  base::duration gather_limit = 5s;          // for all servers together; a dead one delays the end, nothing else
  base::duration reflexive_keepalive = 15s;  // RFC 8445 §5.1.1.4

  std::size_t max_pairs = 100;              // RFC 8445 §6.1.2.5
  std::size_t max_remote_candidates = 100;  // RFC 8445 §19.5.1
  std::size_t max_addresses = 32;           // local ones, best first

  bool resolve_mdns = true;
  base::duration mdns_head_start = 50ms;  // the peer's own checks may make the question unnecessary
  base::duration mdns_limit = 3s;
};

}  // namespace strata::ice
