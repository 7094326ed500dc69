// ECDSA on P-256 with SHA-256: what a long-term identity signs and is recognised by. Signatures are the deterministic
// ones of RFC 6979: no random number that could be bad, and a simulated run repeats byte for byte.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/certificate.hpp"

namespace strata::crypto {

using signature = std::array<std::uint8_t, 64>;  // r, then s, as in RFC 7518 §3.4

// A plain value, always a point of the curve.
class public_key {
 public:
  static constexpr std::size_t size = 65;  // uncompressed: 0x04, x, y (SEC 1 §2.3.3)

  [[nodiscard]] static base::result<public_key> from(base::byte_view octets);  // errc::malformed_public_key
  [[nodiscard]] base::byte_view octets() const noexcept { return octets_; }
  [[nodiscard]] bool verify(base::byte_view data, base::byte_view signature) const noexcept;

  friend bool operator==(const public_key&, const public_key&) = default;

 private:
  friend class signing_key;
  public_key() = default;
  std::array<std::uint8_t, size> octets_{};
};

// Immutable and cheap to copy; copies share the key.
class signing_key {
 public:
  [[nodiscard]] static signing_key generate(const random_source& random);  // throws only when the arithmetic itself fails
  [[nodiscard]] static base::result<signing_key> from_pem(std::string_view text);  // errc::malformed_key

  [[nodiscard]] std::string pem() const;  // a secret: never log it
  [[nodiscard]] crypto::public_key public_key() const;
  [[nodiscard]] signature sign(base::byte_view data) const;

 private:
  struct parts;
  explicit signing_key(std::shared_ptr<parts> p) noexcept : parts_(std::move(p)) {}
  std::shared_ptr<parts> parts_;
};

}  // namespace strata::crypto
