// The inside of dtls::endpoint: the state machine between mbedTLS's session and the procedure in endpoint.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "dtls/client_hello_reassembly.hpp"
#include "dtls/endpoint.hpp"
#include "dtls/inbox.hpp"
#include "dtls/session.hpp"

namespace strata::dtls {

class endpoint::implementation final : private session_owner {
 public:
  implementation(endpoint& outside, net::host& host, certificate own, role r, std::vector<fingerprint> expected, config c,
                 transmit_function transmit, trace::tracer tracer);

  async::task<base::result<void>> handshake();
  void expect(std::vector<fingerprint> fingerprints);
  void receive(base::byte_view datagram);
  bool send(base::byte_view data);
  void close();

  [[nodiscard]] std::size_t max_payload() const noexcept;
  [[nodiscard]] bool ended() const noexcept { return state_ == state::closed || state_ == state::failed; }
  [[nodiscard]] bool invariant() const noexcept;

  state state_ = state::idle;
  std::string reason_;
  counters counters_;
  async::event ended_;

 private:
  using progress = session::progress;

  // session_owner
  bool transmit(base::byte_view datagram) override;
  bool accept_certificate(base::byte_view der) override;
  void on_secret(const trace::dtls_secret& secret) override;
  base::instant now() override { return host_.now(); }

  // the steps of handshake()
  progress step(base::byte_view datagram);
  progress step_with_inbox();
  async::task<> input_or(base::instant deadline);
  async::task<base::result<void>> exchange_flights(base::instant give_up);
  async::task<base::result<void>> verify_peer(base::instant give_up);
  void establish();

  void read(base::byte_view datagram);
  bool deliver(base::byte_view data);
  void discard(std::string_view why, std::size_t size);
  void set_state(state next, std::string reason);
  base::error fail(errc code, std::string reason);
  base::error fail_handshake();

  endpoint& outside_;
  net::host& host_;
  role role_;
  config config_;
  transmit_function transmit_;
  trace::tracer tracer_;

  std::vector<fingerprint> expected_;
  std::string mismatch_;  // both fingerprints, once a certificate has been refused
  client_hello_reassembly hello_;
  inbox arrived_;     // datagrams before the handshake is over
  inbox early_data_;  // records that came before the peer was verified
  async::event wake_;
  std::optional<errc> failure_;

 public:
  session session_;  // last, because it calls its owner while it is made
};

}  // namespace strata::dtls
