// One DTLS 1.2 association (RFC 6347) as WebRTC uses it (RFC 8827 §6.5, RFC 8842): both sides show a self-signed
// certificate, and each checks the other's against the fingerprints that signaling carried (RFC 8122).
//
// The endpoint owns no socket. Datagrams are handed to receive() and leave through `transmit`; it waits only inside
// handshake() and closed(). All calls are made on the host's loop. The endpoint must not be destroyed inside one of its
// own callbacks, nor while a task of it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "dtls/certificate.hpp"
#include "dtls/error.hpp"
#include "dtls/fingerprint.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::dtls {

// From the SDP attribute "setup" (RFC 8842 §5): active is the client, passive the server.
enum class role : std::uint8_t { client, server };

enum class state : std::uint8_t {
  idle,  // handshake() has not been called; datagrams are kept within a bound
  handshaking,
  unverified,  // the handshake is done, but signaling has not told the peer's fingerprints yet: no data goes up
  established,
  closed,  // by close_notify, from either side
  failed,
};
[[nodiscard]] std::string_view to_string(state s) noexcept;

struct config {
  // Largest datagram we send in the handshake, and the size that max_payload() is made for. RFC 8261 §5: 1200 is safe.
  std::uint16_t mtu = 1200;
  // RFC 6347 §4.2.1. Off: ICE has already proved that the peer receives at its address (RFC 8827 allows it).
  bool cookie_exchange = false;
  // What the cookie is bound to, with cookie_exchange: the peer's address in any form.
  base::bytes client_id = {};
  // First retransmission and the longest pause; every one doubles (RFC 6347 §4.2.4.1). See retransmission.hpp for what
  // to give when ICE knows the round-trip time.
  base::duration initial_timeout = std::chrono::seconds(1);
  base::duration longest_timeout = std::chrono::seconds(60);
  // For the whole of handshake(), waiting for the ClientHello and for late fingerprints included.
  base::duration handshake_limit = std::chrono::seconds(60);
};

struct counters {
  std::uint64_t records_sent = 0, records_received = 0;  // application data
  std::uint64_t bytes_sent = 0, bytes_received = 0;      // of application data
  std::uint64_t datagrams_discarded = 0;  // malformed, not authentic, replayed, of another epoch, or over a bound
  std::uint64_t not_transmitted = 0;      // transmit() said false; the network loses datagrams too
};

class endpoint {
 public:
  // False: the datagram was not taken (no pair, outbox full). The view is valid during the call only.
  using transmit_function = std::function<bool(base::byte_view)>;

  // `expected`: the peer's fingerprints. Empty: they come later through expect() (RFC 8842 §5.2: an offerer must be able
  // to answer a ClientHello that overtakes the SDP answer); nothing is handed up and handshake() does not end before.
  endpoint(net::host& host, certificate own, role r, std::vector<fingerprint> expected, config c, transmit_function transmit,
           trace::tracer tracer);
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;
  ~endpoint();

  void expect(std::vector<fingerprint> fingerprints);

  // Runs the flights of RFC 6347 §4.2.4 until both sides have finished and the peer's certificate is verified. Once.
  // Errors: dtls::errc; reason() has the details. Cancelling it closes the association.
  [[nodiscard]] async::task<base::result<void>> handshake();

  // Any datagram of packet_kind::dtls from the peer.
  void receive(base::byte_view datagram);

  // One record. False when not established, when the data is empty or longer than 16384 bytes, or when transmit()
  // did not take it. Data above max_payload() makes a datagram above the MTU (RFC 8261 §5 wants that to be possible).
  bool send(base::byte_view application_data);
  [[nodiscard]] std::size_t max_payload() const noexcept;

  // Decrypted application data, one record a call, only while established. Borrowed for the call.
  std::function<void(base::byte_view)> on_data;

  // Ends when the association has ended, whatever ended it.
  [[nodiscard]] async::task<> closed();
  // Sends close_notify; nothing goes up or out afterwards. Safe at any time and twice.
  void close();

  [[nodiscard]] state current_state() const noexcept;
  [[nodiscard]] const std::string& reason() const noexcept;  // of the last change of state, for people
  [[nodiscard]] const counters& stats() const noexcept;
  [[nodiscard]] std::string_view cipher_suite() const noexcept;  // empty before the handshake
  [[nodiscard]] bool invariant() const noexcept;

 private:
  class implementation;
  std::unique_ptr<implementation> impl_;
};

}  // namespace strata::dtls
