// mbedTLS's side of one association: what is switched on and off, and its callbacks turned into ours. No coroutine and
// no clock of its own; the endpoint drives it. Not for other folders: this header brings mbedTLS with it.
//
// What can be made deterministic is: random bytes, time and datagrams come from the owner. Left over is the system's
// time of day in four of the 32 random bytes of a hello, which mbedTLS 2.28 writes by itself.
#pragma once

#include <mbedtls/ssl.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "crypto/certificate.hpp"
#include "dtls/record_protection.hpp"
#include "trace/event.hpp"

namespace strata::dtls {

struct session_options {
  bool client = false;
  std::uint16_t mtu = 1200;
  bool cookie_exchange = false;
  base::bytes client_id;
  base::duration initial_timeout{};
  base::duration longest_timeout{};
};

// What a session asks of its owner. Called inside the session's own functions.
class session_owner {
 public:
  virtual bool transmit(base::byte_view datagram) = 0;
  virtual bool accept_certificate(base::byte_view der) = 0;  // false: fatal alert bad_certificate
  virtual void on_secret(const trace::dtls_secret& secret) = 0;
  virtual base::instant now() = 0;

 protected:
  ~session_owner() = default;
};

class session {
 public:
  enum class progress : std::uint8_t {
    needs_input,  // a datagram, or the time deadline()
    done,         // handshake: both sides have finished; read: everything in the datagram has been used
    discarded,    // read: nothing in the datagram was authentic, new and of this epoch
    closed,       // close_notify came
    failed,       // failure() says why; fatal
  };
  struct failed_because {
    int code = 0;            // of mbedTLS
    std::uint8_t alert = 0;  // when the code says that the peer sent a fatal one
    std::string text;
  };

  session(session_owner& owner, crypto::certificate own, crypto::random_source random, session_options options);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  // Goes on with the handshake: with a datagram, or with none because it begins or because deadline() has come.
  progress handshake(base::byte_view datagram);
  [[nodiscard]] bool waits_for_hello() const noexcept;  // server: no ClientHello has been accepted yet
  [[nodiscard]] base::instant deadline() const noexcept { return final_at_; }
  [[nodiscard]] bool handshake_over() const noexcept;

  // Decrypts what a datagram holds; `deliver` gets each record and says whether to go on.
  progress read(base::byte_view datagram, const std::function<bool(base::byte_view)>& deliver);
  bool write(base::byte_view application_data);
  void send_alert(bool fatal, std::uint8_t description);

  [[nodiscard]] base::byte_view peer_certificate() const noexcept;  // empty: none
  [[nodiscard]] std::string_view cipher_suite() const noexcept;
  [[nodiscard]] std::size_t overhead() const noexcept;  // of one record
  [[nodiscard]] const failed_because& failure() const noexcept { return failure_; }

 private:
  void finish_handshake();
  progress read_with_mbedtls(base::byte_view record, const std::function<bool(base::byte_view)>& deliver, bool& go_on);
  [[nodiscard]] bool protects(const record_view& record) const noexcept;
  progress read_protected(const record_view& record, const std::function<bool(base::byte_view)>& deliver, bool& go_on);
  bool write_protected(base::byte_view application_data);
  void configure(const session_options& options);
  void configure_cookies(const session_options& options);
  progress fail(int code);
  bool restart_after_hello_verify();

  static int on_send(void* self, const unsigned char* data, std::size_t size);
  static int on_receive(void* self, unsigned char* into, std::size_t room);
  static void set_timer(void* self, std::uint32_t intermediate_ms, std::uint32_t final_ms);
  static int get_timer(void* self);
  static int on_verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags);
  [[nodiscard]] bool replayed(std::uint64_t sequence) const noexcept;
  void remember(std::uint64_t sequence) noexcept;

  static int on_keys(void* self, const unsigned char* master_secret, const unsigned char* key_block, std::size_t, std::size_t,
                     std::size_t, const unsigned char client_random[32], const unsigned char server_random[32],
                     mbedtls_tls_prf_types);
  static int write_cookie(void* self, unsigned char** at, unsigned char* end, const unsigned char* id, std::size_t size);
  static int check_cookie(void* self, const unsigned char* cookie, std::size_t cookie_size, const unsigned char* id,
                          std::size_t size);

  session_owner& owner_;
  crypto::certificate own_;
  crypto::random_source random_;
  base::bytes client_id_;
  std::array<std::uint8_t, 32> cookie_secret_{};
  base::byte_view arriving_;  // the datagram that mbedTLS has not fetched yet
  bool last_transmit_ = true;
  std::array<std::uint8_t, record_protection::key_block_size> key_block_{};  // wiped when the handshake is over
  bool key_block_fits_ = false;
  std::optional<record_protection> protection_;
  base::instant intermediate_at_ = base::never;
  base::instant final_at_ = base::never;
  failed_because failure_;
  mbedtls_ssl_config config_;
  mbedtls_ssl_context ssl_;
};

}  // namespace strata::dtls
