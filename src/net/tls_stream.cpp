#include "net/tls_stream.hpp"

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <array>
#include <cstring>

namespace strata::net {
namespace {

constexpr const char* system_roots = "/etc/ssl/certs/ca-certificates.crt";

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    switch (static_cast<tls_errc>(value)) {
      case tls_errc::handshake_failed: return "the handshake failed";
      case tls_errc::wrong_name: return "the certificate is for another server name";
      case tls_errc::untrusted: return "the certificate is not signed by a trusted root";
      case tls_errc::expired: return "the certificate is not valid at this time";
      case tls_errc::not_verified: return "the certificate cannot be trusted";
      case tls_errc::bad_certificate: return "the certificate file cannot be read";
      case tls_errc::bad_key: return "the key file cannot be read, or is not the certificate's key";
      case tls_errc::no_roots: return "the trusted roots cannot be read";
      case tls_errc::truncated: return "the stream was cut without a close";
    }
    return "unknown error";
  }
};

// mbedTLS's structures, freed when they go.
template <class T, void (*Init)(T*), void (*Free)(T*)>
struct owned {
  T value;
  owned() { Init(&value); }
  ~owned() { Free(&value); }
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  T* operator&() noexcept { return &value; }
};
using owned_chain = owned<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using owned_key = owned<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using owned_config = owned<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free>;
using owned_ssl = owned<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free>;

int draw(void* h, unsigned char* out, std::size_t size) {
  static_cast<host*>(h)->random({out, size});
  return 0;
}

// RFC 5289 and RFC 7905: forward secrecy and authenticated encryption, nothing else.
constexpr int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                          MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                          MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                          MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                          MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                          MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
                          0};

tls_errc verdict(std::uint32_t flags) {
  if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) return tls_errc::wrong_name;
  if ((flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) return tls_errc::expired;
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return tls_errc::untrusted;
  return tls_errc::not_verified;
}

}  // namespace

std::error_code make_error_code(tls_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

struct tls_server_identity {
  owned_chain chain;
  owned_key key;
};

result<std::shared_ptr<const tls_server_identity>> load_tls_identity(host& h, const std::string& certificate_file,
                                                                     const std::string& key_file) {
  (void)h;
  auto id = std::make_shared<tls_server_identity>();
  if (mbedtls_x509_crt_parse_file(&id->chain, certificate_file.c_str()) != 0) return base::fail(tls_errc::bad_certificate);
  if (mbedtls_pk_parse_keyfile(&id->key, key_file.c_str(), nullptr) != 0) return base::fail(tls_errc::bad_key);
  if (mbedtls_pk_check_pair(&id->chain.value.pk, &id->key) != 0) return base::fail(tls_errc::bad_key);
  return std::shared_ptr<const tls_server_identity>(std::move(id));
}

namespace {

class tls_stream final : public stream {
 public:
  tls_stream(host& h, std::unique_ptr<stream> inner) : host_(h), inner_(std::move(inner)) {}

  base::result<void> as_client(const tls_client_options& o) {
    if (auto ok = configure(MBEDTLS_SSL_IS_CLIENT); !ok) return ok;
    if (mbedtls_x509_crt_parse_file(&roots_, o.trust_file.empty() ? system_roots : o.trust_file.c_str()) < 0)
      return base::fail(tls_errc::no_roots);
    mbedtls_ssl_conf_ca_chain(&config_, &roots_, nullptr);
    mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
    if (mbedtls_ssl_setup(&ssl_, &config_) != 0 || mbedtls_ssl_set_hostname(&ssl_, o.server_name.c_str()) != 0)
      return base::fail(tls_errc::handshake_failed);
    mbedtls_ssl_set_bio(&ssl_, this, put, get, nullptr);
    // The library compares names, not addresses; an address must stand in the certificate's own list.
    address_ = base::ip_address::parse(o.server_name);
    if (address_) mbedtls_ssl_conf_verify(&config_, check_address, this);
    return {};
  }

  base::result<void> as_server(std::shared_ptr<const tls_server_identity> identity) {
    identity_ = std::move(identity);
    if (auto ok = configure(MBEDTLS_SSL_IS_SERVER); !ok) return ok;
    auto* id = const_cast<tls_server_identity*>(identity_.get());  // the library reads it only
    if (mbedtls_ssl_conf_own_cert(&config_, &id->chain, &id->key) != 0 || mbedtls_ssl_setup(&ssl_, &config_) != 0)
      return base::fail(tls_errc::handshake_failed);
    mbedtls_ssl_set_bio(&ssl_, this, put, get, nullptr);
    return {};
  }

  async::task<result<void>> handshake() {
    for (;;) {
      const int r = mbedtls_ssl_handshake(&ssl_);
      if (auto sent = co_await flush(); !sent) co_return sent;
      if (r == 0) co_return result<void>();
      if (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) co_return base::fail(verdict(mbedtls_ssl_get_verify_result(&ssl_)));
      if (r != MBEDTLS_ERR_SSL_WANT_READ && r != MBEDTLS_ERR_SSL_WANT_WRITE)
        co_return base::fail(tls_errc::handshake_failed, base::error::nowhere, "a TLS 1.2 peer");
      if (auto more = co_await fill(); !more) co_return more;
    }
  }

  async::task<result<std::size_t>> read(base::byte_span into) override {
    if (into.empty()) co_return std::size_t{0};
    for (;;) {
      const int r = mbedtls_ssl_read(&ssl_, into.data(), into.size());
      if (r > 0) co_return static_cast<std::size_t>(r);
      if (r == 0 || r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) co_return std::size_t{0};
      if (r != MBEDTLS_ERR_SSL_WANT_READ)
        co_return base::fail(tls_errc::handshake_failed, base::error::nowhere, "an authentic record");
      if (auto more = co_await fill(); !more) co_return base::fail(more.error());
    }
  }

  async::task<result<void>> write(base::byte_view data) override {
    while (!data.empty()) {
      const int r = mbedtls_ssl_write(&ssl_, data.data(), data.size());
      if (r < 0 && r != MBEDTLS_ERR_SSL_WANT_WRITE && r != MBEDTLS_ERR_SSL_WANT_READ) co_return base::fail(base::errc::closed);
      if (r > 0) data = data.subspan(static_cast<std::size_t>(r));
      if (auto sent = co_await flush(); !sent) co_return sent;
    }
    co_return result<void>();
  }

  async::task<result<void>> finish() override {
    mbedtls_ssl_close_notify(&ssl_);
    if (auto sent = co_await flush(); !sent) co_return sent;
    co_return co_await inner_->finish();
  }

  void close() noexcept override { inner_->close(); }
  base::endpoint local_endpoint() const override { return inner_->local_endpoint(); }
  base::endpoint remote_endpoint() const override { return inner_->remote_endpoint(); }

 private:
  base::result<void> configure(int side) {
    if (mbedtls_ssl_config_defaults(&config_, side, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
      return base::fail(tls_errc::handshake_failed);
    mbedtls_ssl_conf_rng(&config_, draw, &host_);
    mbedtls_ssl_conf_min_version(&config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_ciphersuites(&config_, suites);
    mbedtls_ssl_conf_renegotiation(&config_, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    return {};
  }

  static int put(void* self, const unsigned char* data, std::size_t size) {
    base::append(static_cast<tls_stream*>(self)->out_, {data, size});
    return static_cast<int>(size);
  }

  static int get(void* self, unsigned char* into, std::size_t size) {
    auto& s = *static_cast<tls_stream*>(self);
    const auto n = std::min(size, s.in_.size() - s.in_at_);
    if (n == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    std::memcpy(into, s.in_.data() + s.in_at_, n);
    s.in_at_ += n;
    return static_cast<int>(n);
  }

  async::task<result<void>> fill() {
    in_.resize(16384);
    in_at_ = in_.size();  // nothing to take while the read is under way, nor if it is cancelled
    const auto n = co_await inner_->read(in_);
    in_at_ = 0;
    in_.resize(n ? *n : 0);
    if (!n) co_return base::fail(n.error());
    if (*n == 0) co_return base::fail(tls_errc::truncated);
    co_return result<void>();
  }

  async::task<result<void>> flush() {
    if (out_.empty()) co_return result<void>();
    const auto data = std::exchange(out_, {});
    co_return co_await inner_->write(data);
  }

  // RFC 6125 §1.7.2, RFC 5280 §4.2.1.6: iPAddress entries hold the octets of an address.
  static int check_address(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) {
    if (depth != 0) return 0;
    const auto wanted = static_cast<tls_stream*>(self)->address_->octets();
    for (const auto* n = &certificate->subject_alt_names; n != nullptr; n = n->next) {
      constexpr int ip_address_tag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7;
      if (n->buf.tag == ip_address_tag && n->buf.len == wanted.size() &&
          std::memcmp(n->buf.p, wanted.data(), wanted.size()) == 0)
        *flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_CN_MISMATCH);
    }
    return 0;
  }

  host& host_;
  std::unique_ptr<stream> inner_;
  std::shared_ptr<const tls_server_identity> identity_;
  std::optional<base::ip_address> address_;
  owned_chain roots_;
  owned_config config_;
  owned_ssl ssl_;
  base::bytes in_, out_;
  std::size_t in_at_ = 0;
};

}  // namespace

async::task<result<std::unique_ptr<stream>>> tls_connect(host& h, std::unique_ptr<stream> inner, tls_client_options o) {
  auto s = std::make_unique<tls_stream>(h, std::move(inner));
  if (auto ok = s->as_client(o); !ok) co_return base::fail(ok.error());
  if (auto done = co_await s->handshake(); !done) co_return base::fail(done.error());
  co_return std::unique_ptr<stream>(std::move(s));
}

async::task<result<std::unique_ptr<stream>>> tls_accept(host& h, std::unique_ptr<stream> inner,
                                                        std::shared_ptr<const tls_server_identity> identity) {
  auto s = std::make_unique<tls_stream>(h, std::move(inner));
  if (auto ok = s->as_server(std::move(identity)); !ok) co_return base::fail(ok.error());
  if (auto done = co_await s->handshake(); !done) co_return base::fail(done.error());
  co_return std::unique_ptr<stream>(std::move(s));
}

}  // namespace strata::net
