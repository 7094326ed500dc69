// AES-128-GCM (NIST SP 800-38D, RFC 5116), from nettle.
//
// mbedTLS 2.28 multiplies for GHASH by table and takes 4 to 6 microseconds for a full datagram, which would be most of
// what a data channel costs. nettle finds out by itself what the processor can do and takes a tenth of that.
#pragma once

#include <cstdint>
#include <memory>
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

  explicit aes_128_gcm(key_view key);  // 4 KiB on the heap

  // Writes plaintext.size() + tag_size octets to `out`, which may begin where the plaintext does, but not overlap otherwise.
  // A nonce must not be used twice with one key.
  void seal(nonce_view nonce, base::byte_view associated, base::byte_view plaintext, std::uint8_t* out) const noexcept;

  // `sealed` ends with the tag. Writes sealed.size() - tag_size octets to `out`, which may begin where `sealed` does, but
  // not overlap otherwise; when the tag is wrong, false and zeros.
  [[nodiscard]] bool open(nonce_view nonce, base::byte_view associated, base::byte_view sealed,
                          std::uint8_t* out) const noexcept;

 private:
  struct expanded_key;
  struct wipe {
    void operator()(expanded_key* key) const noexcept;
  };
  std::unique_ptr<expanded_key, wipe> key_;
};

}  // namespace strata::crypto
