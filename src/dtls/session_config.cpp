// How mbedTLS is set up for WebRTC: RFC 8827 §6.5 and what experience with browsers adds.
#include <stdexcept>

#include "crypto/hmac.hpp"
#include "crypto/native.hpp"
#include "dtls/session.hpp"

namespace strata::dtls {
namespace {

// RFC 8827 §6.5: forward secrecy and AEAD; AES-128-GCM with P-256 is the one that all must have. It stands first
// because tshark up to 4.0 cannot decrypt CHACHA20-POLY1305, and our recordings are to be readable. No RSA: everybody
// has shown ECDSA certificates for years. No CBC, RC4 or NULL.
const int cipher_suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};
const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP384R1,
                                       MBEDTLS_ECP_DP_NONE};
// No media is ever sent, but pion and webrtc-rs end a connection whose handshake agreed on no SRTP profile, even when it
// carries data channels alone; browsers name profiles always (RFC 5764 §4.1). The keys that belong to it are never derived.
const mbedtls_ssl_srtp_profile srtp_profiles[] = {MBEDTLS_TLS_SRTP_AES128_CM_HMAC_SHA1_80, MBEDTLS_TLS_SRTP_UNSET};
const int signature_hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};

// RFC 9147 §4.5.3 ends an AES-GCM association after 2^36 forgeries. The counter of mbedTLS ends sooner; a lower limit
// would only help somebody who wants to end it.
constexpr unsigned bad_mac_limit = 1u << 31;

std::uint32_t to_ms(base::duration d) {
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count());
}

void require(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + ": " + crypto::native_error(code));
}

}  // namespace

void session::configure(const session_options& options) {
  require(mbedtls_ssl_config_defaults(&config_, options.client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                                      MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT),
          "DTLS configuration");
  // DTLS 1.2 calls itself 3.3 here.
  mbedtls_ssl_conf_min_version(&config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_max_version(&config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_ciphersuites(&config_, cipher_suites);
  mbedtls_ssl_conf_curves(&config_, curves);
  mbedtls_ssl_conf_sig_hashes(&config_, signature_hashes);
  mbedtls_ssl_conf_rng(&config_, crypto::native_random, &random_);
  require(mbedtls_ssl_conf_dtls_srtp_protection_profiles(&config_, srtp_profiles), "DTLS SRTP profiles");
  mbedtls_ssl_conf_extended_master_secret(&config_, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
  mbedtls_ssl_conf_dtls_anti_replay(&config_, MBEDTLS_SSL_ANTI_REPLAY_ENABLED);  // a window of 64 records
  mbedtls_ssl_conf_dtls_badmac_limit(&config_, bad_mac_limit);
  // RFC 8827 §6.5: none; a request is answered with the warning no_renegotiation.
  mbedtls_ssl_conf_renegotiation(&config_, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
  mbedtls_ssl_conf_legacy_renegotiation(&config_, MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
  mbedtls_ssl_conf_session_tickets(&config_, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);

  // RFC 8122 §6.2: both sides show a certificate. Whom it belongs to is decided by on_verify() alone; mbedTLS wants some
  // list of authorities before it asks, and that list is not sent.
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config_, &own_.native().certificate, nullptr);
  mbedtls_ssl_conf_cert_req_ca_list(&config_, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
  require(mbedtls_ssl_conf_own_cert(&config_, &own_.native().certificate, &own_.native().key), "DTLS certificate");

  // RFC 6347 §4.2.4.1: mbedTLS doubles the pause; after the second loss of a flight it also assumes that the path takes
  // 508 bytes only (§4.1.1.1).
  mbedtls_ssl_conf_handshake_timeout(&config_, to_ms(options.initial_timeout), to_ms(options.longest_timeout));
  mbedtls_ssl_conf_export_keys_ext_cb(&config_, on_keys, this);
  configure_cookies(options);

  require(mbedtls_ssl_setup(&ssl_, &config_), "DTLS context");
  mbedtls_ssl_set_mtu(&ssl_, options.mtu);
  mbedtls_ssl_set_bio(&ssl_, this, on_send, on_receive, nullptr);
  mbedtls_ssl_set_timer_cb(&ssl_, this, set_timer, get_timer);
  mbedtls_ssl_set_verify(&ssl_, on_verify, this);
  if (options.cookie_exchange && !options.client)
    require(mbedtls_ssl_set_client_transport_id(&ssl_, client_id_.data(), client_id_.size()), "DTLS client id");
}

void session::configure_cookies(const session_options& options) {
  if (options.client) return;
  if (!options.cookie_exchange) {
    mbedtls_ssl_conf_dtls_cookies(&config_, nullptr, nullptr, nullptr);
    return;
  }
  random_(cookie_secret_);
  mbedtls_ssl_conf_dtls_cookies(&config_, write_cookie, check_cookie, this);
}

// RFC 6347 §4.2.1: a cookie is a MAC over who asks. mbedTLS has cookies of its own, but with the system's clock in them;
// ours live as long as the association, which is one handshake.
int session::write_cookie(void* self, unsigned char** at, unsigned char* end, const unsigned char* id, std::size_t size) {
  const auto& s = *static_cast<session*>(self);
  const auto cookie = crypto::hmac_sha256(s.cookie_secret_, base::byte_view(id, size));
  if (static_cast<std::size_t>(end - *at) < cookie.size()) return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
  *at = std::copy(cookie.begin(), cookie.end(), *at);
  return 0;
}

int session::check_cookie(void* self, const unsigned char* cookie, std::size_t cookie_size, const unsigned char* id,
                          std::size_t size) {
  const auto& s = *static_cast<session*>(self);
  const auto expected = crypto::hmac_sha256(s.cookie_secret_, base::byte_view(id, size));
  return crypto::constant_time_equal(expected, {cookie, cookie_size}) ? 0 : -1;
}

}  // namespace strata::dtls
