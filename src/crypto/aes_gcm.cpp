#include "crypto/aes_gcm.hpp"

#include <mbedtls/platform_util.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>

#include <algorithm>
#include <array>

namespace strata::crypto {

// What depends on the key only. nettle's all-in-one gcm_aes128_ctx holds the state of one message as well; apart, a key
// stays constant after it is made.
struct aes_128_gcm::expanded_key {
  aes128_ctx cipher;
  gcm_key hash;
};

namespace {

constexpr nettle_cipher_func* encrypt_block = [](const void* cipher, std::size_t size, std::uint8_t* out,
                                                 const std::uint8_t* in) {
  aes128_encrypt(static_cast<const aes128_ctx*>(cipher), size, out, in);
};

using tag = std::array<std::uint8_t, aes_128_gcm::tag_size>;

}  // namespace

aes_128_gcm::aes_128_gcm(key_view key) : key_(new expanded_key) {
  aes128_set_encrypt_key(&key_->cipher, key.data());
  gcm_set_key(&key_->hash, &key_->cipher, encrypt_block);
}

void aes_128_gcm::wipe::operator()(expanded_key* key) const noexcept {
  mbedtls_platform_zeroize(key, sizeof *key);
  delete key;
}

void aes_128_gcm::seal(nonce_view nonce, base::byte_view associated, base::byte_view plaintext,
                       std::uint8_t* out) const noexcept {
  gcm_ctx message;
  gcm_set_iv(&message, &key_->hash, nonce.size(), nonce.data());
  gcm_update(&message, &key_->hash, associated.size(), associated.data());
  gcm_encrypt(&message, &key_->hash, &key_->cipher, encrypt_block, plaintext.size(), out, plaintext.data());
  gcm_digest(&message, &key_->hash, &key_->cipher, encrypt_block, tag_size, out + plaintext.size());
}

bool aes_128_gcm::open(nonce_view nonce, base::byte_view associated, base::byte_view sealed, std::uint8_t* out) const noexcept {
  if (sealed.size() < tag_size) return false;
  const base::byte_view text = sealed.first(sealed.size() - tag_size);
  tag computed;
  gcm_ctx message;
  gcm_set_iv(&message, &key_->hash, nonce.size(), nonce.data());
  gcm_update(&message, &key_->hash, associated.size(), associated.data());
  gcm_decrypt(&message, &key_->hash, &key_->cipher, encrypt_block, text.size(), out, text.data());
  gcm_digest(&message, &key_->hash, &key_->cipher, encrypt_block, computed.size(), computed.data());
  if (memeql_sec(computed.data(), sealed.data() + text.size(), tag_size) != 0) return true;
  std::fill_n(out, text.size(), std::uint8_t{0});  // nobody may look at what is not authentic
  return false;
}

}  // namespace strata::crypto
