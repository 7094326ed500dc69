// Fingerprints of certificates (RFC 8122): how a peer's self-signed certificate is tied to what signaling promised.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace strata::crypto {

// In order of preference, weakest first. MD2 and MD5 have no place here (RFC 8122 §5).
enum class hash_function : std::uint8_t { sha_1, sha_224, sha_256, sha_384, sha_512 };
[[nodiscard]] std::string_view to_string(hash_function h) noexcept;                         // "sha-256"
[[nodiscard]] std::optional<hash_function> hash_from_name(std::string_view name) noexcept;  // case-insensitive
[[nodiscard]] std::size_t digest_size(hash_function h) noexcept;
[[nodiscard]] base::bytes digest(hash_function h, base::byte_view data);

struct fingerprint {
  hash_function algorithm = hash_function::sha_256;
  base::bytes digest;

  friend bool operator==(const fingerprint& a, const fingerprint& b) noexcept;  // in constant time
};

// "sha-256 AB:CD:…", the value of the SDP attribute "fingerprint".
[[nodiscard]] std::string format(const fingerprint& f);
// Takes lower-case hex too, as some implementations write it. Errors: crypto::errc with the offset. An unknown hash
// function is errc::unknown_hash: a caller that reads a list passes over such a line and keeps the others.
[[nodiscard]] base::result<fingerprint> parse_fingerprint(std::string_view text);

[[nodiscard]] fingerprint fingerprint_of(base::byte_view certificate_der, hash_function h = hash_function::sha_256);

// RFC 8122 §5.1: only the fingerprints of the best hash function in the list count, and the certificate must have one
// of them. Hence a right SHA-1 does not help beside a wrong SHA-256, and SHA-1 counts only when it stands alone.
// An empty list matches nothing.
[[nodiscard]] bool matches(std::span<const fingerprint> expected, base::byte_view certificate_der);

}  // namespace strata::crypto
