// TLS 1.2 over any stream. The records are mbedTLS's, the octets in between are ours: one buffer each way, so the same
// code runs over a socket and over a simulated stream.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "net/host.hpp"

namespace strata::net {

enum class tls_errc {
  handshake_failed = 1,
  wrong_name,       // the certificate is for another server
  untrusted,        // no chain to a trusted root
  expired,          // a certificate of the chain is not valid now
  not_verified,     // another reason to distrust the certificate
  bad_certificate,  // ours cannot be read
  bad_key,          // ours cannot be read, or is not the certificate's
  no_roots,         // the trust store cannot be read
  truncated,        // the stream ended without close_notify: somebody may have cut it
};
std::error_code make_error_code(tls_errc e) noexcept;

struct tls_client_options {
  std::string server_name = {};  // verified, and sent as SNI when it is a name
  std::string trust_file = {};   // PEM roots; empty: the system's
};

struct tls_server_identity;  // a certificate chain with its key, shared by all connections of a server

result<std::shared_ptr<const tls_server_identity>> load_tls_identity(host& h, const std::string& certificate_file,
                                                                     const std::string& key_file);

// The handshake is done when these return. The inner stream is closed when it fails.
[[nodiscard]] async::task<result<std::unique_ptr<stream>>> tls_connect(host& h, std::unique_ptr<stream> inner,
                                                                       tls_client_options o);
[[nodiscard]] async::task<result<std::unique_ptr<stream>>> tls_accept(host& h, std::unique_ptr<stream> inner,
                                                                      std::shared_ptr<const tls_server_identity> identity);

}  // namespace strata::net

template <>
struct std::is_error_code_enum<strata::net::tls_errc> : std::true_type {};
