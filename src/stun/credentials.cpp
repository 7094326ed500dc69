#include "stun/credentials.hpp"

#include "crypto/digest.hpp"
#include "stun/wire.hpp"

namespace strata::stun {
namespace {

// RFC 8489 §14.5: what follows the integrity attribute (FINGERPRINT) was not there when the code was made, so the length
// field has to be put back to what it was then. The message is borrowed: the field is fed separately.
struct covered {
  std::array<std::uint8_t, 2> length;
  std::array<base::byte_view, 3> parts;

  covered(base::byte_view before, std::size_t total) noexcept
      : length{static_cast<std::uint8_t>((total - header_size) >> 8), static_cast<std::uint8_t>(total - header_size)},
        parts{before.first(2), length, before.subspan(4)} {}
  covered(const covered&) = delete;
};

}  // namespace

integrity_key short_term_key(std::string_view password) noexcept { return integrity_key(base::as_bytes(password)); }

integrity_key long_term_key(std::string_view username, std::string_view realm, std::string_view password,
                            algorithm digest) noexcept {
  const auto colon = base::as_bytes(":");
  const std::array parts{base::as_bytes(username), colon, base::as_bytes(realm), colon, base::as_bytes(password)};
  if (digest == algorithm::sha256) return integrity_key(crypto::sha256(parts));
  return integrity_key(crypto::md5(parts));
}

userhash hash_username(std::string_view username, std::string_view realm) noexcept {
  return {crypto::sha256({base::as_bytes(username), base::as_bytes(":"), base::as_bytes(realm)})};
}

crypto::sha1_digest integrity_sha1(base::byte_view before, std::size_t total, const integrity_key& key) noexcept {
  const covered c(before, total);
  return key.sha1().sign(c.parts);
}

crypto::sha256_digest integrity_sha256(base::byte_view before, std::size_t total, const integrity_key& key) noexcept {
  const covered c(before, total);
  return key.sha256().sign(c.parts);
}

base::result<void> check_message_integrity(const message_view& m, const integrity_key& key) {
  const auto at = m.integrity_offset();
  if (!at) return base::fail(errc::unauthenticated);
  const auto mac = integrity_sha1(m.bytes().first(*at), *at + 24, key);
  if (!crypto::constant_time_equal(mac, m.bytes().subspan(*at + 4, 20))) return base::fail(errc::bad_integrity, *at);
  return {};
}

base::result<void> check_message_integrity_sha256(const message_view& m, const integrity_key& key, std::size_t shortest) {
  const auto at = m.integrity_sha256_offset();
  if (!at) return base::fail(errc::unauthenticated);
  const std::size_t length = wire::u16(m.bytes(), *at + 2);
  if (length < shortest) return base::fail(errc::bad_integrity, *at + 2, "the whole code, not a truncated one");
  const auto mac = integrity_sha256(m.bytes().first(*at), *at + 4 + length, key);
  if (!crypto::constant_time_equal(base::byte_view(mac).first(length), m.bytes().subspan(*at + 4, length))) {
    return base::fail(errc::bad_integrity, *at);
  }
  return {};
}

base::result<void> check_integrity(const message_view& m, const integrity_key& key) {
  if (m.integrity_sha256_offset()) return check_message_integrity_sha256(m, key);
  return check_message_integrity(m, key);
}

}  // namespace strata::stun
