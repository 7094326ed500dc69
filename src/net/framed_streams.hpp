// Datagrams over TCP as ICE uses them (RFC 6544 §3, RFC 4571): a udp_socket whose every peer is a connection.
//
//   passive       listens; a peer's datagrams come over its connection, answers go back over it
//   active        connects to a peer when the first datagram for it is sent; from the local address, any port (ICE signals
//                 port 9 for it, RFC 6544 §4.5)
//   simultaneous  both on one port: two such sockets that send to each other at once meet in one connection. The kernel has
//                 to allow a listener and connections on one port (Linux does)
//
// Whoever may connect may be anybody: there is room for so many connections, each says something sensible soon, reads what it
// is sent, and holds a bounded number of octets here. A connection is made for a peer once; when it has ended the owner is
// told through on_unreachable (refused, unreachable, or closed when it had been open), and the next datagram opens another.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "async/event.hpp"
#include "async/task.hpp"
#include "net/host.hpp"
#include "net/rfc4571.hpp"

namespace strata::net {

enum class framed_mode : std::uint8_t { passive, active, simultaneous };

struct framed_options {
  framed_mode mode = framed_mode::passive;
  std::size_t connections = 64;           // with those under way
  std::size_t outbox_bytes = 256u << 10;  // of one connection, also while it is being made
  std::size_t inbox_bytes = 1u << 20;     // of all together; beyond it we stop reading, and TCP stops them
  std::size_t first_frame_bytes = 2048;   // largest first frame of an accepted connection: a STUN message
  base::duration first_frame_within = std::chrono::seconds(10);
  base::duration connect_within = std::chrono::seconds(20);
  base::duration stalled_after = std::chrono::seconds(30);  // a peer that reads nothing for so long is dropped
  // Whether an accepted connection may go on after this first frame. Empty: any frame that is not empty.
  std::function<bool(base::byte_view)> sensible{};
};

struct framed_counters {
  std::uint64_t accepted = 0, connected = 0;
  std::uint64_t no_room = 0;     // not accepted, or pushed out before they had said anything
  std::uint64_t speechless = 0;  // said nothing sensible in time
  std::uint64_t too_large = 0;   // announced a frame larger than allowed
  std::uint64_t stalled = 0;     // did not read
};

class framed_streams final : public udp_socket {
 public:
  // An unspecified local address is allowed for listening; port 0 is any port.
  [[nodiscard]] static result<std::unique_ptr<framed_streams>> open(host& h, const base::endpoint& local, framed_options o);
  ~framed_streams() override;

  // Serves the connections until it is cancelled, or the listener ends. They are closed then, and receive() fails.
  [[nodiscard]] async::task<> run();

  [[nodiscard]] base::endpoint local_endpoint() const override { return local_; }  // active: port 0
  [[nodiscard]] async::task<result<std::span<const datagram>>> receive() override;
  // Where there is no connection and none may be made the datagram is dropped, as a network drops it.
  bool send(const base::endpoint& to, base::byte_view payload) override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] const udp_counters& counters() const override { return counters_; }

  [[nodiscard]] const framed_counters& connections_counted() const noexcept { return framed_counters_; }
  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  // RFC 6544 §11.1: ICE closes what it has not selected. What is queued for it is lost.
  void disconnect(const base::endpoint& peer);

 private:
  struct connection;
  struct ending;
  using shared_connection = std::shared_ptr<connection>;

  framed_streams(host& h, const base::endpoint& local, framed_options o, std::unique_ptr<listener> l);
  async::task<> accept();
  void adopt(std::unique_ptr<stream> s);
  bool make_room();
  shared_connection add(const base::endpoint& peer);
  void remove(connection& c);
  async::task<> serve(shared_connection c);
  async::task<result<void>> establish(connection& c);
  async::task<base::error> read(connection& c);
  async::task<base::error> write(connection& c);
  async::task<result<base::byte_view>> first_frame(connection& c, frame_reader& frames, base::bytes& buffer);
  async::task<> take(connection& c, base::byte_view frame);

  host& host_;
  framed_options options_;
  base::endpoint local_;
  std::unique_ptr<listener> listener_;
  std::map<base::endpoint, shared_connection> connections_;
  std::vector<shared_connection> unserved_;  // made since run() looked
  async::event work_;                        // set: there are such
  std::deque<std::pair<base::endpoint, base::bytes>> inbox_, held_;
  std::size_t inbox_bytes_ = 0;
  std::vector<datagram> batch_;
  async::event arrived_, room_;  // pulsed
  bool ended_ = false;
  udp_counters counters_;
  framed_counters framed_counters_;
};

}  // namespace strata::net
