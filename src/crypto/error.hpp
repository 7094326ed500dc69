// What can be wrong with key material that comes from outside.
#pragma once

#include <system_error>

namespace strata::crypto {

enum class errc {
  malformed_fingerprint = 1,  // not "hash-name HEX:HEX:…"
  unknown_hash,               // a hash function that this build does not know, or one that proves nothing (MD2, MD5)
  wrong_digest_length,        // the digest does not have the size of its hash function
  malformed_certificate,      // not a PEM certificate
  malformed_key,              // not a PEM private key on the curve P-256
  malformed_public_key,       // not an uncompressed point of the curve P-256
  key_mismatch,               // the private key does not belong to the certificate
};
const std::error_category& crypto_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), crypto_category()}; }

}  // namespace strata::crypto

template <>
struct std::is_error_code_enum<strata::crypto::errc> : std::true_type {};
