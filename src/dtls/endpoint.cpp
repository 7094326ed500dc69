// The handshake as a procedure (RFC 6347 §4.2.4), and the outside of the endpoint.
#include "dtls/endpoint.hpp"

#include <algorithm>
#include <cassert>

#include "async/sleep.hpp"
#include "dtls/alert.hpp"
#include "dtls/association.hpp"
#include "dtls/record.hpp"

namespace strata::dtls {
namespace {

// Cancelling destroys the frame, and with it this: an association whose handshake nobody drives any more is over.
class given_up {
 public:
  explicit given_up(endpoint& e) noexcept : endpoint_(e) {}
  given_up(const given_up&) = delete;
  given_up& operator=(const given_up&) = delete;
  ~given_up() {
    if (!ended_) endpoint_.close();
  }
  void ended() noexcept { ended_ = true; }

 private:
  endpoint& endpoint_;
  bool ended_ = false;
};

}  // namespace

async::task<base::result<void>> endpoint::implementation::handshake() {
  if (state_ != state::idle) co_return base::fail(errc::closed);
  given_up guard(outside_);
  const base::instant give_up = now() + config_.handshake_limit;
  tracer_(now(), trace::phase{trace::layer::dtls, "dtls", true, role_ == role::client ? "client" : "server"});
  set_state(state::handshaking, role_ == role::client ? "as client" : "as server");

  auto outcome = co_await exchange_flights(give_up);
  if (outcome) outcome = co_await verify_peer(give_up);
  if (outcome) establish();

  guard.ended();
  tracer_(now(), trace::phase{trace::layer::dtls, "dtls", false, reason_});
  co_return outcome;
}

// RFC 6347 §4.2.4, figure 3: PREPARING and SENDING happen inside step(); WAITING is here, with its two ways out, the
// next flight and the timer. FINISHED, with the answer to a repeated last flight, lives on in read().
async::task<base::result<void>> endpoint::implementation::exchange_flights(base::instant give_up) {
  progress p = role_ == role::client ? step({}) : progress::needs_input;
  for (;;) {
    if (p == progress::needs_input) p = step_with_inbox();
    if (p == progress::done) co_return base::result<void>();
    if (p == progress::failed) co_return base::fail(fail_handshake());
    if (now() >= give_up) co_return base::fail(fail(errc::timed_out, "the handshake took longer than its limit"));

    co_await input_or(std::min(session_.deadline(), give_up));
    if (ended()) co_return base::fail(fail(errc::closed, reason_));
    if (now() >= session_.deadline()) p = step({});  // the timer: the flight goes out again
  }
}

// RFC 8842 §5.2: the handshake can be over before the answer has come. No step from here to established is without a
// look at the certificate.
async::task<base::result<void>> endpoint::implementation::verify_peer(base::instant give_up) {
  if (expected_.empty()) {
    set_state(state::unverified, "finished before signaling told the peer's fingerprints");
    while (!arrived_.empty()) read(arrived_.pop());
  }
  while (expected_.empty()) {
    if (ended()) co_return base::fail(fail(errc::closed, reason_));
    if (now() >= give_up) co_return base::fail(fail(errc::timed_out, "signaling never told the peer's fingerprints"));
    co_await input_or(give_up);
  }
  if (ended()) co_return base::fail(fail(errc::closed, reason_));
  if (session_.peer_certificate().empty()) {
    session_.send_alert(true, static_cast<std::uint8_t>(alert_description::bad_certificate));
    co_return base::fail(fail(errc::no_peer_certificate, "the peer showed no certificate"));
  }
  if (!accept_certificate(session_.peer_certificate())) {
    session_.send_alert(true, static_cast<std::uint8_t>(alert_description::bad_certificate));
    co_return base::fail(fail(errc::fingerprint_mismatch, mismatch_));
  }
  co_return base::result<void>();
}

void endpoint::implementation::establish() {
  set_state(state::established, "finished, the certificate matches: " + std::string(session_.cipher_suite()));
  while (!early_data_.empty() && state_ == state::established) deliver(early_data_.pop());
  while (!arrived_.empty() && state_ == state::established) read(arrived_.pop());
}

async::task<> endpoint::implementation::input_or(base::instant deadline) {
  const auto input = [this]() -> async::task<> { co_await wake_.wait(); };
  const auto timer = [](base::instant at) -> async::task<> { co_await async::sleep_until(at); };
  co_await async::first_of(input(), timer(deadline));
  wake_.reset();
}

endpoint::implementation::progress endpoint::implementation::step_with_inbox() {
  progress p = progress::needs_input;
  while (p == progress::needs_input && !arrived_.empty()) p = step(arrived_.pop());
  return p;
}

endpoint::implementation::progress endpoint::implementation::step(base::byte_view datagram) {
  if (datagram.empty()) return session_.handshake({});
  if (const auto flaw = flaw_in_the_clear(datagram); !flaw.empty()) {
    discard(flaw, datagram.size());
    return progress::needs_input;
  }
  if (role_ == role::client) return session_.handshake(datagram);

  const auto hello = hello_.take(datagram);
  switch (hello.what) {
    case client_hello_reassembly::verdict::incomplete: return progress::needs_input;
    case client_hello_reassembly::verdict::refused: discard(hello.why, datagram.size()); return progress::needs_input;
    case client_hello_reassembly::verdict::complete: return session_.handshake(hello.datagram);
    case client_hello_reassembly::verdict::not_a_hello: break;
  }
  if (session_.waits_for_hello()) {  // mbedTLS would take anything else for a broken hello
    discard("no ClientHello yet", datagram.size());
    return progress::needs_input;
  }
  return session_.handshake(datagram);
}

base::error endpoint::implementation::fail_handshake() {
  const auto& why = session_.failure();
  if (!mismatch_.empty()) return fail(errc::fingerprint_mismatch, mismatch_);
  switch (why.code) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: return fail(errc::fatal_alert, why.text);
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: return fail(errc::closed, "close_notify during the handshake");
    case MBEDTLS_ERR_SSL_TIMEOUT: return fail(errc::timed_out, "no answer to the last retransmission");
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
      // RFC 8122 §6.2; mbedTLS itself says nothing to the peer here.
      session_.send_alert(true, static_cast<std::uint8_t>(alert_description::bad_certificate));
      return fail(errc::no_peer_certificate, "the peer showed no certificate");
    default: return fail(errc::handshake_failed, why.text);
  }
}

std::string_view to_string(state s) noexcept {
  switch (s) {
    case state::idle: return "idle";
    case state::handshaking: return "handshaking";
    case state::unverified: return "unverified";
    case state::established: return "established";
    case state::closed: return "closed";
    case state::failed: return "failed";
  }
  return "?";
}

endpoint::endpoint(net::host& host, certificate own, role r, std::vector<fingerprint> expected, config c,
                   transmit_function transmit, trace::tracer tracer)
    : impl_(std::make_unique<implementation>(*this, host, std::move(own), r, std::move(expected), std::move(c),
                                             std::move(transmit), std::move(tracer))) {}
endpoint::~endpoint() = default;

void endpoint::expect(std::vector<fingerprint> fingerprints) { impl_->expect(std::move(fingerprints)); }
async::task<base::result<void>> endpoint::handshake() { return impl_->handshake(); }
void endpoint::receive(base::byte_view datagram) { impl_->receive(datagram); }
bool endpoint::send(base::byte_view application_data) { return impl_->send(application_data); }
std::size_t endpoint::max_payload() const noexcept { return impl_->max_payload(); }
async::task<> endpoint::closed() { co_await impl_->ended_.wait(); }
void endpoint::close() { impl_->close(); }
state endpoint::current_state() const noexcept { return impl_->state_; }
const std::string& endpoint::reason() const noexcept { return impl_->reason_; }
const counters& endpoint::stats() const noexcept { return impl_->counters_; }
std::string_view endpoint::cipher_suite() const noexcept {
  return impl_->session_.handshake_over() ? impl_->session_.cipher_suite() : std::string_view();
}
bool endpoint::invariant() const noexcept { return impl_->invariant(); }

}  // namespace strata::dtls
