// Keys and message integrity (RFC 8489 §9.1.1, §9.2.2, §14.4–14.6). Names, realms and passwords come prepared: see
// opaque_string.hpp for what that means.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/hmac.hpp"
#include "stun/attributes/credential.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

// A key with its first HMAC block already absorbed, for both digests: make it once per password, use it for every message.
class integrity_key {
 public:
  explicit integrity_key(base::byte_view key) noexcept : sha1_(key), sha256_(key) {}
  [[nodiscard]] const crypto::hmac_sha1_key& sha1() const noexcept { return sha1_; }
  [[nodiscard]] const crypto::hmac_sha256_key& sha256() const noexcept { return sha256_; }

 private:
  crypto::hmac_sha1_key sha1_;
  crypto::hmac_sha256_key sha256_;
};

// §9.1.1: the key is the password.
[[nodiscard]] integrity_key short_term_key(std::string_view password) noexcept;
// §9.2.2: digest(username ":" realm ":" password). The algorithm has to be one of those with a name.
[[nodiscard]] integrity_key long_term_key(std::string_view username, std::string_view realm, std::string_view password,
                                          algorithm digest = algorithm::md5) noexcept;
// §14.4
[[nodiscard]] userhash hash_username(std::string_view username, std::string_view realm) noexcept;

// The authentication code over `before` (the message up to the integrity attribute) with the length field read as if the
// message were `total` bytes long: that is, as if it ended with the integrity attribute.
[[nodiscard]] crypto::sha1_digest integrity_sha1(base::byte_view before, std::size_t total, const integrity_key& key) noexcept;
[[nodiscard]] crypto::sha256_digest integrity_sha256(base::byte_view before, std::size_t total,
                                                     const integrity_key& key) noexcept;

// errc::unauthenticated when the attribute is not there, errc::bad_integrity when it does not match.
[[nodiscard]] base::result<void> check_message_integrity(const message_view& m, const integrity_key& key);
// `shortest`: RFC 8489 §14.6 takes less than the full 32 bytes only where the usage allows truncation.
[[nodiscard]] base::result<void> check_message_integrity_sha256(const message_view& m, const integrity_key& key,
                                                                std::size_t shortest = 32);
// §9.1.3, §9.2.4: the stronger one decides when both are there.
[[nodiscard]] base::result<void> check_integrity(const message_view& m, const integrity_key& key);

}  // namespace strata::stun
