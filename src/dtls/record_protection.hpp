// Application data records with AES-128-GCM (RFC 5288 in RFC 6347 records), past mbedTLS, whose own GCM is the slowest
// thing on the way of a message. The handshake, alerts and everything with another suite stay with mbedTLS, and so do the
// numbers: whoever uses this hands in the sequence number, and checks the replay window.
//
//   +--------------------+------------------------+------------------------------+-----------+
//   | record header (13) | explicit nonce (8)     | ciphertext, as long as text  | tag (16)  |
//   +--------------------+------------------------+------------------------------+-----------+
//   nonce = 4 octets of the key block, then the explicit nonce; ours is epoch and sequence number, which never repeat
//   authenticated besides: epoch and sequence number, type, version, length of the text (RFC 5246 §6.2.3.3)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "crypto/aes_gcm.hpp"
#include "dtls/record.hpp"

namespace strata::dtls {

class record_protection {
 public:
  static constexpr std::size_t explicit_nonce_size = 8;
  static constexpr std::size_t overhead = record_header_size + explicit_nonce_size + crypto::aes_128_gcm::tag_size;
  // RFC 5246 §6.3, for AEAD suites: client and server key, then client and server part of the nonce.
  static constexpr std::size_t key_block_size = 2 * 16 + 2 * 4;
  using key_block = std::span<const std::uint8_t, key_block_size>;
  // Epoch and sequence number as they stand in a record.
  using number = std::span<const std::uint8_t, 8>;

  record_protection(key_block keys, bool client);

  // `out` has room for text.size() + overhead octets, which are the record.
  void seal(number epoch_and_sequence, base::byte_view text, std::uint8_t* out) const noexcept;
  // The length of the text that is now in `out`, which has room for the record's fragment; nothing when it is not
  // authentic.
  [[nodiscard]] std::optional<std::size_t> open(const record_view& record, std::uint8_t* out) const noexcept;

 private:
  crypto::aes_128_gcm seal_, open_;
  std::array<std::uint8_t, 4> seal_salt_{}, open_salt_{};
};

}  // namespace strata::dtls
