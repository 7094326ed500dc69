// HMAC (RFC 2104) with SHA-1 and SHA-256, and the comparison that must go with it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/bytes.hpp"
#include "crypto/digest.hpp"

namespace strata::crypto {

// The key, already hashed into the inner and outer starting states: a STUN agent that signs thousands of messages with
// one password pays for the key once, and every message costs two compressions less. Plain value, nothing on the heap.
class hmac_sha1_key {
 public:
  explicit hmac_sha1_key(base::byte_view key) noexcept;
  [[nodiscard]] sha1_digest sign(std::span<const base::byte_view> parts) const noexcept;
  [[nodiscard]] sha1_digest sign(base::byte_view data) const noexcept { return sign(std::span(&data, 1)); }

 private:
  std::array<std::uint32_t, 5> inner_{};
  std::array<std::uint32_t, 5> outer_{};
};

class hmac_sha256_key {
 public:
  explicit hmac_sha256_key(base::byte_view key) noexcept;
  [[nodiscard]] sha256_digest sign(std::span<const base::byte_view> parts) const noexcept;
  [[nodiscard]] sha256_digest sign(base::byte_view data) const noexcept { return sign(std::span(&data, 1)); }

 private:
  std::array<std::uint32_t, 8> inner_{};
  std::array<std::uint32_t, 8> outer_{};
};

// One message, one key.
[[nodiscard]] sha1_digest hmac_sha1(base::byte_view key, std::span<const base::byte_view> parts) noexcept;
[[nodiscard]] sha256_digest hmac_sha256(base::byte_view key, std::span<const base::byte_view> parts) noexcept;
[[nodiscard]] inline sha1_digest hmac_sha1(base::byte_view key, base::byte_view data) noexcept {
  return hmac_sha1(key, std::span(&data, 1));
}
[[nodiscard]] inline sha256_digest hmac_sha256(base::byte_view key, base::byte_view data) noexcept {
  return hmac_sha256(key, std::span(&data, 1));
}
[[nodiscard]] inline sha1_digest hmac_sha1(base::byte_view key, std::initializer_list<base::byte_view> p) noexcept {
  return hmac_sha1(key, std::span(p.begin(), p.size()));
}
[[nodiscard]] inline sha256_digest hmac_sha256(base::byte_view key, std::initializer_list<base::byte_view> p) noexcept {
  return hmac_sha256(key, std::span(p.begin(), p.size()));
}

// The time depends on the lengths only, never on where the first difference is. Different lengths are never equal.
[[nodiscard]] bool constant_time_equal(base::byte_view a, base::byte_view b) noexcept;

}  // namespace strata::crypto
