// One SCTP association (RFC 9260) over DTLS (RFC 8261), as data channels need it (RFC 8831 §5, §6): many streams,
// ordered and unordered messages, partial reliability (RFC 3758, RFC 7496), stream reset (RFC 6525).
//
// An interface, so that a second engine can stand beside usrsctp. The association owns no socket: packets are handed to
// receive() and leave through a transmit function. Everything happens on the host's loop. Callbacks come from the loop,
// never inside a call of the user's; the association must not be destroyed inside one of them, nor while connect(),
// closed(), shutdown() or drained() run. A send() that waits then ends with errc::closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/host.hpp"
#include "sctp/error.hpp"
#include "sctp/message.hpp"
#include "trace/sink.hpp"

namespace strata::sctp {

enum class state : std::uint8_t {
  idle,        // connect() has not been called; a few packets are kept
  connecting,  // COOKIE-WAIT, COOKIE-ECHOED
  established,
  shutting_down,  // SHUTDOWN-PENDING and later, from either side
  closed,
};
[[nodiscard]] std::string_view to_string(state s) noexcept;

struct association_config {
  // The largest packet that transmit takes, which is what DTLS calls its payload (RFC 8261 §5). Not probed; 1171 fits
  // a 1200-octet datagram.
  std::uint16_t mtu = 1171;
  std::uint16_t local_port = 5000;  // RFC 8841 §5
  std::uint16_t remote_port = 5000;
  // Offered both ways. RFC 8831 §6.2 wants 65535; README.md says what that costs.
  std::uint16_t streams = 1024;
  // Messages waiting for transmission or acknowledgement: all streams together, and any one of them.
  std::size_t send_buffer = 1u << 20;
  std::size_t stream_send_buffer = 1u << 19;
  std::size_t receive_buffer = 1u << 20;      // the receiver window
  std::size_t max_message_size = 256u << 10;  // inbound; see on_too_large
  base::duration initial_rto = std::chrono::milliseconds(500);
  // Nothing at all from the peer for so long, although it owes an answer: it is gone.
  base::duration silence_limit = std::chrono::seconds(30);
  // RFC 8260: a long message on one stream does not hold up the others. Used when the peer offers it too.
  bool interleaving = false;
};

struct statistics {
  std::uint64_t packets_sent = 0, packets_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;        // of packets
  std::uint64_t messages_sent = 0, messages_received = 0;  // user messages
  std::uint64_t chunks_retransmitted = 0;
  std::uint64_t not_transmitted = 0;              // transmit() said false; the network loses packets too
  std::uint64_t dropped = 0;                      // received, but malformed, with a wrong checksum, or at the wrong time
  base::duration rtt{}, rto{};                    // smoothed, in milliseconds steps; zero before the first measurement
  std::uint32_t congestion_window = 0;            // bytes
  std::uint32_t peer_window = 0;                  // bytes
  std::uint16_t streams_out = 0, streams_in = 0;  // negotiated
};

class association {
 public:
  // False: the packet was not taken. The view is valid during the call only. It must not call an association.
  using transmit_function = std::function<bool(base::byte_view)>;

  virtual ~association() = default;

  // Both sides may connect at once (RFC 9260 §5.2.1). Once. Cancelling it closes the association.
  [[nodiscard]] virtual async::task<base::result<void>> connect() = 0;
  virtual void receive(base::byte_view packet) = 0;

  // Waits until the bounded buffer has room and hands the message over whole; returning does not mean acknowledged.
  // Messages of one stream keep the order of their sends. Cancelled while waiting, nothing of the message is sent.
  [[nodiscard]] virtual async::task<base::result<void>> send(message_out m) = 0;
  [[nodiscard]] virtual base::result<void> try_send(message_out m) = 0;

  // Not yet acknowledged; after the end, what never was. Of one stream: an estimate that assumes first in, first out; zero when
  // all is acknowledged.
  [[nodiscard]] virtual std::size_t buffered_bytes() const = 0;
  [[nodiscard]] virtual std::size_t buffered_bytes(stream_id s) const = 0;
  // Until everything sent on the stream before has been acknowledged or abandoned, or the association ended.
  [[nodiscard]] virtual async::task<> drained(stream_id s) = 0;

  // Asks for a reset of our outgoing side (RFC 6525 §5.1.2), after what was sent on the streams before.
  virtual void reset_streams(std::span<const stream_id> streams) = 0;

  // While off, nothing is read: what arrives fills the receive window and the peer stops (RFC 9260 §6.2). The window is
  // the association's, so this holds up all of its streams. Messages that arrived before its end are always delivered.
  virtual void set_reading(bool on) = 0;
  virtual void set_max_message_size(std::size_t inbound) = 0;

  // Graceful: what was sent is delivered first (RFC 9260 §9.2). close() returns at once, shutdown() when it is done.
  virtual void close() = 0;
  [[nodiscard]] virtual async::task<> shutdown() = 0;
  virtual void abort(std::string_view why) = 0;  // RFC 9260 §9.1
  [[nodiscard]] virtual async::task<> closed() = 0;

  [[nodiscard]] virtual sctp::state current_state() const noexcept = 0;
  [[nodiscard]] virtual const std::string& reason() const noexcept = 0;  // of the last change of state, for people
  // Why it is closed; no code when it is not, or was shut down or ended from this side.
  [[nodiscard]] virtual base::error error() const noexcept = 0;
  [[nodiscard]] virtual statistics stats() const = 0;

  std::function<void(message_in)> on_message;
  // A message grew beyond max_message_size; the rest of it is thrown away.
  std::function<void(stream_id)> on_too_large;
  enum class reset : std::uint8_t {
    incoming,         // the peer has reset its side: everything it sent before was delivered
    outgoing,         // our side is reset: the peer has everything
    outgoing_failed,  // the peer refused
  };
  std::function<void(reset, std::span<const stream_id>)> on_stream_reset;
  std::function<void()> on_state;
};

// usrsctp is one per process: all associations of a process live on one loop at a time (see README.md).
[[nodiscard]] std::unique_ptr<association> make_usrsctp_association(net::host& host, association_config c,
                                                                    association::transmit_function transmit,
                                                                    trace::tracer tracer);

}  // namespace strata::sctp
