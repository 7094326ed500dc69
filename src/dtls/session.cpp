#include "dtls/session.hpp"

#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cassert>

#include "crypto/native.hpp"
#include "dtls/alert.hpp"
#include "dtls/record.hpp"

namespace strata::dtls {
namespace {

// One datagram holds few records, and each makes mbedTLS return at most a few times. Whatever it does, we go on.
constexpr int most_rounds = 4096;

// mbedTLS throws the rest of a datagram away with a record that it cannot authenticate; RFC 6347 §4.1.2.7 speaks of the
// record only. So it gets one record at a time.
base::byte_view after_first_record(base::byte_view datagram) noexcept {
  base::byte_view rest = datagram;
  return take_record(rest) ? rest : base::byte_view();
}

}  // namespace

session::session(session_owner& owner, crypto::certificate own, crypto::random_source random, session_options options)
    : owner_(owner), own_(std::move(own)), random_(std::move(random)), client_id_(std::move(options.client_id)) {
  mbedtls_ssl_config_init(&config_);
  mbedtls_ssl_init(&ssl_);
  try {
    configure(options);
  } catch (...) {
    mbedtls_ssl_free(&ssl_);
    mbedtls_ssl_config_free(&config_);
    throw;
  }
}

session::~session() {
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
}

session::progress session::handshake(base::byte_view datagram) {
  arriving_ = datagram;
  for (int round = 0; round < most_rounds; ++round) {
    const int result = mbedtls_ssl_handshake(&ssl_);
    if (result == 0) {
      finish_handshake();
      return progress::done;
    }
    if (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
      if (!restart_after_hello_verify()) return progress::failed;
      if (arriving_.empty()) return progress::needs_input;
      continue;
    }
    if (result != MBEDTLS_ERR_SSL_WANT_READ) return fail(result);
    if (arriving_.empty() && mbedtls_ssl_check_pending(&ssl_) == 0) return progress::needs_input;
  }
  return progress::needs_input;
}

// RFC 6347 §4.2.1: the server forgets the first ClientHello; the second one brings everything again.
bool session::restart_after_hello_verify() {
  int result = mbedtls_ssl_session_reset(&ssl_);
  if (result == 0) result = mbedtls_ssl_set_client_transport_id(&ssl_, client_id_.data(), client_id_.size());
  if (result != 0) fail(result);
  return result == 0;
}

bool session::waits_for_hello() const noexcept {
  return config_.endpoint == MBEDTLS_SSL_IS_SERVER && ssl_.state <= MBEDTLS_SSL_CLIENT_HELLO;
}

bool session::handshake_over() const noexcept { return ssl_.state == MBEDTLS_SSL_HANDSHAKE_OVER; }

// Without cookies no ClientHello may replace a living association (RFC 6347 §4.2.8), and data may be larger than the
// path's MTU when the user wants it to (RFC 8261 §5).
void session::finish_handshake() {
  mbedtls_ssl_conf_dtls_cookies(&config_, nullptr, nullptr, nullptr);
  mbedtls_ssl_set_mtu(&ssl_, 0);
  const mbedtls_ssl_session* established = mbedtls_ssl_get_session_pointer(&ssl_);
  if (key_block_fits_ && established != nullptr && established->ciphersuite == MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
    protection_.emplace(key_block_, config_.endpoint == MBEDTLS_SSL_IS_CLIENT);
  mbedtls_platform_zeroize(key_block_.data(), key_block_.size());
}

session::progress session::read(base::byte_view datagram, const std::function<bool(base::byte_view)>& deliver) {
  progress outcome = progress::discarded;
  bool go_on = true;
  while (go_on) {
    base::byte_view rest = datagram;
    const auto record = take_record(rest);
    if (!record) break;
    const progress p = protects(*record) ? read_protected(*record, deliver, go_on)
                                         : read_with_mbedtls(datagram.first(datagram.size() - rest.size()), deliver, go_on);
    if (p == progress::closed || p == progress::failed) return p;
    if (p == progress::done) outcome = p;
    datagram = rest;
  }
  return outcome;
}

session::progress session::read_with_mbedtls(base::byte_view record, const std::function<bool(base::byte_view)>& deliver,
                                             bool& go_on) {
  // mbedTLS decrypts in its own buffer and copies out of it; the stack is as good a place as any.
  std::uint8_t text[largest_plaintext];
  arriving_ = record;
  last_transmit_ = false;
  progress outcome = progress::discarded;
  for (int round = 0; round < most_rounds; ++round) {
    const int result = mbedtls_ssl_read(&ssl_, text, sizeof text);
    if (result > 0) {
      outcome = progress::done;
      go_on = deliver({text, static_cast<std::size_t>(result)});
      if (!go_on) return outcome;
      continue;
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return progress::closed;
    if (result != MBEDTLS_ERR_SSL_WANT_READ) return fail(result);
    // RFC 6347 §4.2.4: a repeated flight of a peer that missed our last one was answered with it, hence used.
    if (last_transmit_) outcome = progress::done;
    if (arriving_.empty() && mbedtls_ssl_check_pending(&ssl_) == 0) return outcome;
  }
  return outcome;
}

bool session::write(base::byte_view application_data) {
  last_transmit_ = false;
  if (protection_ && ssl_.handshake == nullptr) return write_protected(application_data);
  const int result = mbedtls_ssl_write(&ssl_, application_data.data(), application_data.size());
  return result == static_cast<int>(application_data.size()) && last_transmit_;
}

void session::send_alert(bool fatal, std::uint8_t description) {
  mbedtls_ssl_send_alert_message(&ssl_, fatal ? MBEDTLS_SSL_ALERT_LEVEL_FATAL : MBEDTLS_SSL_ALERT_LEVEL_WARNING, description);
}

session::progress session::fail(int code) {
  failure_.code = code;
  failure_.text = crypto::native_error(code);
  if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
    failure_.alert = ssl_.in_msg[1];
    failure_.text = "the peer sent the fatal alert " + std::string(alert_name(failure_.alert)) + " (" +
                    std::to_string(failure_.alert) + ")";
  }
  return progress::failed;
}

base::byte_view session::peer_certificate() const noexcept {
  const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&ssl_);
  if (peer == nullptr) return {};
  return {peer->raw.p, peer->raw.len};
}

std::string_view session::cipher_suite() const noexcept {
  const char* name = mbedtls_ssl_get_ciphersuite(&ssl_);
  return name == nullptr ? std::string_view() : name;
}

std::size_t session::overhead() const noexcept {
  const int size = mbedtls_ssl_get_record_expansion(&ssl_);
  constexpr std::size_t aes_gcm = record_header_size + 8 + 16;  // explicit nonce and tag
  return handshake_over() && size > 0 ? static_cast<std::size_t>(size) : aes_gcm;
}

int session::on_send(void* self, const unsigned char* data, std::size_t size) {
  auto& s = *static_cast<session*>(self);
  s.last_transmit_ = s.owner_.transmit({data, size});
  return static_cast<int>(size);  // a datagram that nobody took is a lost datagram
}

int session::on_receive(void* self, unsigned char* into, std::size_t room) {
  auto& s = *static_cast<session*>(self);
  const std::size_t size = s.arriving_.size() - after_first_record(s.arriving_).size();
  if (size > room) s.arriving_ = {};
  if (s.arriving_.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  std::copy_n(s.arriving_.begin(), size, into);
  s.arriving_ = s.arriving_.subspan(size);
  return static_cast<int>(size);
}

void session::set_timer(void* self, std::uint32_t intermediate_ms, std::uint32_t final_ms) {
  auto& s = *static_cast<session*>(self);
  const base::instant now = s.owner_.now();
  s.intermediate_at_ = final_ms == 0 ? base::never : now + std::chrono::milliseconds(intermediate_ms);
  s.final_at_ = final_ms == 0 ? base::never : now + std::chrono::milliseconds(final_ms);
}

int session::get_timer(void* self) {
  auto& s = *static_cast<session*>(self);
  if (s.final_at_ == base::never) return -1;  // cancelled
  const base::instant now = s.owner_.now();
  if (now >= s.final_at_) return 2;
  return now >= s.intermediate_at_ ? 1 : 0;
}

// RFC 8122 §6.2: the fingerprint decides, and nothing else: neither name, dates nor issuer of the certificate. A name
// mismatch is the flag for which mbedTLS sends the alert bad_certificate.
int session::on_verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) {
  auto& s = *static_cast<session*>(self);
  *flags = 0;
  if (depth == 0 && !s.owner_.accept_certificate({certificate->raw.p, certificate->raw.len}))
    *flags = MBEDTLS_X509_BADCERT_CN_MISMATCH;
  return 0;
}

int session::on_keys(void* self, const unsigned char* master_secret, const unsigned char* key_block, std::size_t mac_size,
                     std::size_t key_size, std::size_t nonce_size, const unsigned char client_random[32],
                     const unsigned char[32], mbedtls_tls_prf_types) {
  trace::dtls_secret secret;
  std::copy_n(client_random, secret.client_random.size(), secret.client_random.begin());
  std::copy_n(master_secret, secret.master_secret.size(), secret.master_secret.begin());
  auto& s = *static_cast<session*>(self);
  s.key_block_fits_ = mac_size == 0 && 2 * (key_size + nonce_size) == s.key_block_.size();
  if (s.key_block_fits_) std::copy_n(key_block, s.key_block_.size(), s.key_block_.begin());
  s.owner_.on_secret(secret);
  return 0;
}

}  // namespace strata::dtls
