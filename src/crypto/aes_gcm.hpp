// AES-128-GCM (NIST SP 800-38D, RFC 5116) on processors with AES and carry-less multiplication in hardware.
//
// mbedTLS 2.28 multiplies for GHASH by table and takes 4 to 6 microseconds for a full datagram, which would be most of
// what a data channel costs. Eight blocks at a time with one reduction take a tenth of that. No table is looked up and
// no branch is taken on secret data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"

namespace strata::crypto {

class aes_128_gcm {
 public:
  static constexpr std::size_t key_size = 16;
  static constexpr std::size_t nonce_size = 12;
  static constexpr std::size_t tag_size = 16;
  using key_view = std::span<const std::uint8_t, key_size>;
  using nonce_view = std::span<const std::uint8_t, nonce_size>;

  // Nothing when the processor cannot.
  [[nodiscard]] static std::optional<aes_128_gcm> make(key_view key) noexcept;
  aes_128_gcm(const aes_128_gcm&) = default;
  aes_128_gcm& operator=(const aes_128_gcm&) = default;
  ~aes_128_gcm();  // wipes the key

  // Writes plaintext.size() + tag_size octets to `out`, which may begin where the plaintext does, but not overlap otherwise.
  // A nonce must not be used twice with one key.
  void seal(nonce_view nonce, base::byte_view associated, base::byte_view plaintext, std::uint8_t* out) const noexcept;

  // `sealed` ends with the tag. Writes sealed.size() - tag_size octets; when the tag is wrong, false and zeros.
  [[nodiscard]] bool open(nonce_view nonce, base::byte_view associated, base::byte_view sealed,
                          std::uint8_t* out) const noexcept;

 private:
  explicit aes_128_gcm(key_view key) noexcept;

  alignas(16) std::array<std::uint8_t, 11 * 16> round_keys_{};
  alignas(16) std::array<std::uint8_t, 8 * 16> hash_powers_{};  // H^1 … H^8 in the POLYVAL form of RFC 8452
};

}  // namespace strata::crypto
