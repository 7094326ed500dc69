// A certificate with its private key: what a peer shows in the DTLS handshake.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/fingerprint.hpp"

namespace strata::crypto {

// Fills the span. A procedure hands in its host's random(), so that a simulated run has the same keys every time.
using random_source = std::function<void(base::byte_span)>;

struct certificate_options {
  std::string common_name = "strata";                     // goes over the wire in clear: nothing personal in it
  base::duration backdated = std::chrono::hours(24);      // for peers whose clock is behind
  base::duration lifetime = 30 * std::chrono::hours(24);  // from now
  // Of the server that shows it (RFC 5280 §4.2.1.6), for clients that look for them: DNS names and addresses.
  std::vector<std::string> dns_names = {};
  std::vector<base::ip_address> addresses = {};
};

// Immutable and cheap to copy; copies share the key.
class certificate {
 public:
  // Fresh P-256 key, self-signed with ECDSA and SHA-256, random serial number. RFC 8827 §6.5: a key of its own for
  // every session unless the user decides otherwise. Throws only when the arithmetic itself fails.
  [[nodiscard]] static certificate generate(const random_source& random, base::wall_time now,
                                            const certificate_options& options = {});
  // For a key that is kept. Errors: crypto::errc.
  [[nodiscard]] static base::result<certificate> from_pem(std::string_view certificate_pem, std::string_view key_pem);

  [[nodiscard]] base::byte_view der() const noexcept;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string private_key_pem() const;  // a secret: never log it
  [[nodiscard]] crypto::fingerprint fingerprint(hash_function h = hash_function::sha_256) const;

  struct parts;  // mbedTLS's view of it, for the DTLS layer
  [[nodiscard]] parts& native() const noexcept { return *parts_; }

 private:
  explicit certificate(std::shared_ptr<parts> p) noexcept : parts_(std::move(p)) {}
  std::shared_ptr<parts> parts_;
};

}  // namespace strata::crypto
