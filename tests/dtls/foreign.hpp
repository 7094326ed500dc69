// A DTLS peer that does what ours never would: plain mbedTLS with a hook for its configuration, on the same wire.
#pragma once

#include <mbedtls/ssl.h>

#include <deque>
#include <functional>

#include "crypto/native.hpp"
#include "wire.hpp"

namespace strata::test {

class foreign {
 public:
  foreign(wire& w, side s, const std::function<void(mbedtls_ssl_config&)>& configure, bool shows_certificate = true)
      : wire_(w),
        side_(s),
        certificate_(w.certificate(s)),
        random_([&w, s](base::byte_span out) { w.machines[static_cast<std::size_t>(s)].random(out); }) {
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&ssl_);
    mbedtls_ssl_config_defaults(&config_, s == side::client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                                MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&config_, crypto::native_random, &random_);
    mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_NONE);
    if (shows_certificate) mbedtls_ssl_conf_own_cert(&config_, &certificate_.native().certificate, &certificate_.native().key);
    if (s == side::server) mbedtls_ssl_conf_dtls_cookies(&config_, nullptr, nullptr, nullptr);
    configure(config_);
    mbedtls_ssl_setup(&ssl_, &config_);
    mbedtls_ssl_set_bio(&ssl_, this, on_send, on_receive, nullptr);
    mbedtls_ssl_set_timer_cb(&ssl_, this, [](void*, std::uint32_t, std::uint32_t) {}, [](void*) { return 0; });
    w.replace(s, [this](base::byte_view d) { receive(d); });
  }
  ~foreign() {
    mbedtls_ssl_free(&ssl_);
    mbedtls_ssl_config_free(&config_);
  }
  foreign(const foreign&) = delete;
  foreign& operator=(const foreign&) = delete;

  void start() { step(); }
  mbedtls_ssl_context& ssl() { return ssl_; }
  int last = 0;          // what the last call of mbedTLS said
  std::string received;  // application data

 private:
  void receive(base::byte_view d) {
    arrived_.push_back(base::to_bytes(d));
    step();
  }
  void step() {
    if (ssl_.state != MBEDTLS_SSL_HANDSHAKE_OVER) last = mbedtls_ssl_handshake(&ssl_);
    if (ssl_.state != MBEDTLS_SSL_HANDSHAKE_OVER) return;
    unsigned char buffer[2048];
    while ((last = mbedtls_ssl_read(&ssl_, buffer, sizeof buffer)) > 0)
      received.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(last));
  }
  static int on_send(void* self, const unsigned char* data, std::size_t size) {
    auto& f = *static_cast<foreign*>(self);
    f.wire_.transmit(f.side_, {data, size});
    return static_cast<int>(size);
  }
  static int on_receive(void* self, unsigned char* into, std::size_t room) {
    auto& f = *static_cast<foreign*>(self);
    if (f.arrived_.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const base::bytes d = std::move(f.arrived_.front());
    f.arrived_.pop_front();
    const std::size_t size = std::min(room, d.size());
    std::copy_n(d.begin(), size, into);
    return static_cast<int>(size);
  }

  wire& wire_;
  side side_;
  crypto::certificate certificate_;
  crypto::random_source random_;
  std::deque<base::bytes> arrived_;
  mbedtls_ssl_config config_;
  mbedtls_ssl_context ssl_;
};

}  // namespace strata::test
