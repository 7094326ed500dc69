#include "dtls/association.hpp"

#include <cassert>

#include "dtls/alert.hpp"
#include "dtls/record.hpp"

namespace strata::dtls {
namespace {

session_options options_of(role r, const config& c) {
  return {r == role::client, c.mtu, c.cookie_exchange, c.client_id, c.initial_timeout, c.longest_timeout};
}

std::string list_of(const std::vector<fingerprint>& fingerprints) {
  std::string text;
  for (const fingerprint& f : fingerprints) {
    if (!text.empty()) text += ", ";
    text += crypto::format(f);
  }
  return text;
}

}  // namespace

endpoint::implementation::implementation(endpoint& outside, net::host& host, certificate own, role r,
                                         std::vector<fingerprint> expected, config c, transmit_function transmit,
                                         trace::tracer tracer)
    : outside_(outside),
      host_(host),
      role_(r),
      config_(std::move(c)),
      transmit_(std::move(transmit)),
      tracer_(std::move(tracer)),
      expected_(std::move(expected)),
      session_(*this, std::move(own), [&host](base::byte_span out) { host.random(out); }, options_of(role_, config_)) {}

void endpoint::implementation::expect(std::vector<fingerprint> fingerprints) {
  expected_ = std::move(fingerprints);
  wake_.set();
}

void endpoint::implementation::receive(base::byte_view datagram) {
  switch (state_) {
    case state::idle:
    case state::handshaking:
      if (arrived_.push(datagram)) wake_.set();
      else discard("too many datagrams before the handshake could use them", datagram.size());
      break;
    case state::unverified:
    case state::established: read(datagram); break;
    case state::closed:
    case state::failed: discard("the association has ended", datagram.size()); break;
  }
  assert(invariant());
}

void endpoint::implementation::read(base::byte_view datagram) {
  const auto outcome = session_.read(datagram, [this](base::byte_view data) { return deliver(data); });
  if (ended()) return;  // the receiver of the data closed us
  switch (outcome) {
    case progress::needs_input:
    case progress::done: break;
    case progress::discarded: discard("not authentic, replayed, or of another epoch", datagram.size()); break;
    case progress::closed:
      // RFC 5246 §7.2.1: a close_notify is answered with one.
      session_.send_alert(false, static_cast<std::uint8_t>(alert_description::close_notify));
      set_state(state::closed, "close_notify from the peer");
      break;
    case progress::failed:
      fail(session_.failure().alert != 0 ? errc::fatal_alert : errc::handshake_failed, session_.failure().text);
      break;
  }
}

// One decrypted record. True: go on with the next.
bool endpoint::implementation::deliver(base::byte_view data) {
  if (state_ == state::unverified) {
    if (!early_data_.push(data)) discard("too much data before the peer is verified", data.size());
    return true;
  }
  ++counters_.records_received;
  counters_.bytes_received += data.size();
  if (outside_.on_data) outside_.on_data(data);
  return state_ == state::established;
}

bool endpoint::implementation::send(base::byte_view data) {
  if (state_ != state::established || data.empty() || data.size() > largest_plaintext) return false;
  if (!session_.write(data)) return false;
  ++counters_.records_sent;
  counters_.bytes_sent += data.size();
  return true;
}

std::size_t endpoint::implementation::max_payload() const noexcept {
  const std::size_t overhead = session_.overhead();
  return config_.mtu > overhead ? config_.mtu - overhead : 0;
}

void endpoint::implementation::close() {
  if (ended()) return;
  // RFC 5246 §7.2.2: user_canceled tells a handshake that is given up from one that went wrong.
  if (state_ == state::handshaking) session_.send_alert(false, static_cast<std::uint8_t>(alert_description::user_canceled));
  if (state_ != state::idle) session_.send_alert(false, static_cast<std::uint8_t>(alert_description::close_notify));
  set_state(state::closed, "closed by this side");
}

bool endpoint::implementation::transmit(base::byte_view datagram) {
  const bool taken = transmit_(datagram);
  if (!taken) ++counters_.not_transmitted;
  return taken;
}

// RFC 8122 §6.2: the certificate must match a fingerprint that signaling has brought. While none has come, any is
// taken, and verify_peer() looks again before anything is handed up.
bool endpoint::implementation::accept_certificate(base::byte_view der) {
  if (expected_.empty()) return true;
  if (crypto::matches(expected_, der)) return true;
  mismatch_ = "the peer's certificate has " + crypto::format(crypto::fingerprint_of(der)) + ", signaling promised " +
              list_of(expected_);
  return false;
}

void endpoint::implementation::on_secret(const trace::dtls_secret& secret) { tracer_(now(), secret); }

void endpoint::implementation::discard(std::string_view why, std::size_t size) {
  ++counters_.datagrams_discarded;
  tracer_(now(), trace::drop{trace::layer::dtls, why, {}, size});
}

base::error endpoint::implementation::fail(errc code, std::string reason) {
  if (!ended()) {
    failure_ = code;
    set_state(state::failed, std::move(reason));
  }
  return failure_.value_or(errc::closed);
}

void endpoint::implementation::set_state(state next, std::string reason) {
  tracer_(now(), trace::state_change{trace::layer::dtls, "association", to_string(state_), to_string(next), reason});
  state_ = next;
  reason_ = std::move(reason);
  if (ended()) {
    arrived_.clear();
    early_data_.clear();
    ended_.set();
  }
  wake_.set();
  assert(invariant());
}

bool endpoint::implementation::invariant() const noexcept {
  const bool open = state_ == state::established || state_ == state::unverified;
  return arrived_.invariant() && early_data_.invariant() && hello_.invariant() && (!open || session_.handshake_over()) &&
         (state_ != state::established || (!expected_.empty() && mismatch_.empty())) && ended_.is_set() == ended() &&
         (state_ == state::failed) == failure_.has_value();
}

}  // namespace strata::dtls
