// net::host is the machine a peer runs on, and the only door to the world: clock, random bytes, sockets, names,
// interfaces. asio_host is the real one; sim::host is the simulated one. Procedures are written against this file.
//
// Ownership: a socket, stream or listener belongs to the caller; destroying it closes it. No operation on it may be
// in flight then (a scope sees to that). All calls are made on the host's loop; nothing here is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/loop.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::net {

template <class T>
using result = base::result<T>;

struct datagram {
  base::endpoint peer;
  base::byte_view payload;  // borrowed from the socket until its next receive()
};

struct udp_counters {
  std::uint64_t sent = 0, received = 0;  // datagrams
  std::uint64_t sent_bytes = 0, received_bytes = 0;
  std::uint64_t dropped_outbox_full = 0;  // send() said false
  std::uint64_t dropped_by_kernel = 0;    // the kernel refused one for good (no route, too large)
  std::uint64_t unreachable = 0;          // reports of the network that an earlier one did not get there
};

class udp_socket {
 public:
  virtual ~udp_socket() = default;
  [[nodiscard]] virtual base::endpoint local_endpoint() const = 0;

  // Waits for at least one datagram and takes all that are there, up to the batch size. One receiver at a time.
  // An error ends the socket; what the network says of single datagrams (ICMP) goes to on_unreachable.
  [[nodiscard]] virtual async::task<result<std::span<const datagram>>> receive() = 0;

  // Copies the payload into a bounded outbox, which leaves in batches at the end of the loop's turn.
  // False: the outbox is full (counted). Like the network, it promises nothing more.
  virtual bool send(const base::endpoint& to, base::byte_view payload) = 0;

  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  [[nodiscard]] virtual const udp_counters& counters() const = 0;

  // The network says of a datagram that we sent to `peer` that it did not get there. A hint from anybody on the way, or who
  // pretends to be: it may end a question to a server, not a conversation that is known to work.
  //   refused      nobody listens there (RFC 1122 §4.2.3.9 calls these hard)
  //   unreachable  no way to that host at this moment
  //   too_large    for a link on the way; sockets with dont_fragment only
  // Called while receive() is awaited, or at the end of a turn; it must not destroy the socket.
  std::function<void(const base::endpoint& peer, base::errc why)> on_unreachable{};

 protected:
  void report_unreachable(udp_counters& c, const base::endpoint& peer, base::errc why) {
    ++c.unreachable;
    if (on_unreachable) on_unreachable(peer, why);
  }
};

struct udp_options {
  bool reuse_address = false;                            // several sockets on one port: multicast DNS
  std::optional<base::ip_address> multicast_group = {};  // join it on multicast_interface
  std::uint32_t multicast_interface = 0;                 // interface index
  bool dont_fragment = false;                            // a datagram that is too large for the path is lost, not cut
  std::size_t outbox_bytes = 4u << 20;
  std::size_t receive_buffer = 1u << 20;  // asked of the kernel, which may give less
};

struct peer_credentials {  // of a local (Unix) stream
  std::uint32_t uid = 0, gid = 0;
  std::int32_t pid = 0;
};

class stream {
 public:
  virtual ~stream() = default;
  // At least one byte, or 0 at the end of the stream. One reader at a time.
  [[nodiscard]] virtual async::task<result<std::size_t>> read(base::byte_span into) = 0;
  // All bytes, or an error. One writer at a time. The data must live until the task has ended.
  [[nodiscard]] virtual async::task<result<void>> write(base::byte_view data) = 0;
  // No more writes: the peer sees the end of the stream after what was written (TLS: close_notify).
  [[nodiscard]] virtual async::task<result<void>> finish() = 0;
  // Ends pending operations with errc::closed.
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual base::endpoint local_endpoint() const = 0;
  [[nodiscard]] virtual base::endpoint remote_endpoint() const = 0;
  [[nodiscard]] virtual std::optional<peer_credentials> credentials() const { return std::nullopt; }
};

class listener {
 public:
  virtual ~listener() = default;
  [[nodiscard]] virtual async::task<result<std::unique_ptr<stream>>> accept() = 0;
  [[nodiscard]] virtual base::endpoint local_endpoint() const = 0;
};

struct tcp_options {
  std::optional<base::endpoint> local = {};  // connect: from here; port 0: any
  // A listener and connections on one port, as simultaneous open (RFC 9293 §3.5) needs it: all of them say so.
  bool share_port = false;
};

struct interface_address {
  std::string name;  // "eth0"
  std::uint32_t index = 0;
  base::ip_address address;
  std::uint8_t prefix_length = 0;
  bool up = false;
  bool loopback = false;
  bool point_to_point = false;
  bool multicast = false;
  bool temporary = false;   // RFC 8981 privacy address
  bool deprecated = false;  // RFC 4862: not for new connections

  friend bool operator==(const interface_address&, const interface_address&) = default;
};

class host {
 public:
  virtual ~host() = default;

  [[nodiscard]] virtual async::loop& loop() = 0;
  [[nodiscard]] base::instant now() { return loop().now(); }
  [[nodiscard]] virtual base::wall_time wall_now() = 0;
  virtual void random(base::byte_span out) = 0;  // cryptographic on a real host, seeded in the simulator
  [[nodiscard]] std::uint64_t random_u64();
  [[nodiscard]] std::uint32_t random_u32() { return static_cast<std::uint32_t>(random_u64()); }
  [[nodiscard]] std::uint64_t random_below(std::uint64_t bound);  // uniform in [0, bound)

  // Port 0: any free port. An unspecified address: all addresses of that family only.
  [[nodiscard]] virtual result<std::unique_ptr<udp_socket>> bind_udp(const base::endpoint& local, udp_options o = {}) = 0;
  [[nodiscard]] virtual async::task<result<std::unique_ptr<stream>>> connect_tcp(base::endpoint remote, tcp_options o = {}) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<listener>> listen_tcp(const base::endpoint& local, tcp_options o = {}) = 0;

  // Unix-domain stream sockets. listen_local makes the file with mode 0600 and replaces a stale one.
  [[nodiscard]] virtual async::task<result<std::unique_ptr<stream>>> connect_local(std::string path) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<listener>> listen_local(const std::string& path) = 0;

  // Addresses of a name in the order the system prefers them; an address literal resolves to itself.
  [[nodiscard]] virtual async::task<result<std::vector<base::ip_address>>> resolve(std::string name) = 0;

  [[nodiscard]] virtual std::vector<interface_address> interfaces() = 0;
  // Returns when interfaces() has come to say something else than it did when this was awaited. A machine that changes
  // networks changes several times within a second; whoever acts on it waits until that is over.
  [[nodiscard]] virtual async::task<> interfaces_changed() = 0;
  // Runs f, which may block (a disk does), where the loop does not wait for it; returns when it has run, and throws what it
  // threw. One function at a time, in the order in which they were begun. f runs to its end whatever becomes of who awaits it:
  // a cancellation waits for that. f touches nothing that the loop's thread may touch meanwhile. The default runs it where it
  // stands, which is right where time is not real.
  [[nodiscard]] virtual async::task<> run_blocking(std::function<void()> f);
  // Next hops of the default routes, the preferred one first, IPv4 before IPv6. None where nothing is known of them.
  [[nodiscard]] virtual std::vector<base::ip_address> gateways() { return {}; }
};

}  // namespace strata::net
