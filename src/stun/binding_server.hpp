// A basic STUN server (RFC 8489 §12): Binding over UDP and TCP, no credentials, a bare answer.
//
//   binding_server server(host, {});
//   s.spawn("STUN", &binding_server::serve_udp …)      // one task for each socket or listener
//
// The answer leaves from the socket the request came to (§6.3.1.2). Bind one socket to each address of a machine with several.
//
// With two addresses it can also help clients to find out what their NAT does (RFC 5780): serve_discovery().
#pragma once

#include <cstdint>

#include "async/task.hpp"
#include "net/host.hpp"
#include "stun/binding_responder.hpp"
#include "stun/discovery_sockets.hpp"
#include "stun/rate_limiter.hpp"
#include "trace/sink.hpp"

namespace strata::stun {

struct binding_server_config {
  responder_policy policy{};
  unsigned answers_per_second = 100;  // for one source address (IPv6: one /64); 0: no limit
  unsigned burst = 200;
  // Answers of RFC 5780, for one source address: its §4.1 lets a client begin ten transactions a second.
  unsigned discovery_per_second = 10;
  unsigned discovery_burst = 60;
  std::size_t tcp_connections = 256;                   // at a time; further ones are closed at once
  base::duration tcp_idle = std::chrono::seconds(60);  // RFC 8489 §6.2.2: closing is left to the client until then
};

class binding_server {
 public:
  struct counters {
    std::uint64_t received = 0, answered = 0, refused = 0;
    std::uint64_t not_stun = 0, malformed = 0, bad_fingerprint = 0, not_a_request = 0, unknown_method = 0;
    std::uint64_t rate_limited = 0, outbox_full = 0;
    std::uint64_t discovery_answered = 0, discovery_limited = 0;
    std::uint64_t received_bytes = 0, sent_bytes = 0;
    std::uint64_t tcp_accepted = 0, tcp_refused = 0;
  };

  binding_server(net::host& h, binding_server_config config, trace::tracer tracer = {});
  binding_server(const binding_server&) = delete;
  binding_server& operator=(const binding_server&) = delete;

  // Until the socket or listener fails, or the task is cancelled.
  [[nodiscard]] async::task<base::error> serve_udp(net::udp_socket& socket);
  // RFC 5780 §6: all four sockets, until one of them fails.
  [[nodiscard]] async::task<base::error> serve_discovery(discovery_sockets& sockets);
  [[nodiscard]] async::task<base::error> serve_tcp(net::listener& listener);

  // For a socket that others use as well: answers when the datagram is a Binding request. False: it was dropped.
  bool on_datagram(net::udp_socket& socket, base::byte_view datagram, const base::endpoint& from);

  [[nodiscard]] const counters& counted() const noexcept { return counters_; }

 private:
  // The answer is in out_ when there is one.
  bool respond(base::byte_view message, const base::endpoint& from);
  async::task<base::error> serve_one_of(discovery_sockets& sockets, std::size_t n);
  void discover(discovery_sockets& sockets, std::size_t n, base::byte_view datagram, const base::endpoint& from);
  bool count(responder_verdict v, const base::endpoint& from, std::size_t size);
  async::task<> serve_connection(std::unique_ptr<net::stream> stream);
  async::task<base::error> answer_frames(net::stream& stream);

  net::host& host_;
  binding_server_config config_;
  trace::tracer tracer_;
  rate_limiter limiter_, discovery_limiter_;
  counters counters_;
  base::bytes out_;
  std::size_t connections_ = 0;
};

}  // namespace strata::stun
