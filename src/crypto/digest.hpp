// Message digests over one or several pieces (a message with a hole in it, a header before a body).
// mbedTLS does the arithmetic; its headers stay behind this one.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/bytes.hpp"

namespace strata::crypto {

using md5_digest = std::array<std::uint8_t, 16>;
using sha1_digest = std::array<std::uint8_t, 20>;
using sha256_digest = std::array<std::uint8_t, 32>;
using sha384_digest = std::array<std::uint8_t, 48>;
using sha512_digest = std::array<std::uint8_t, 64>;

// MD5 and SHA-1 are here because RFC 8489 and RFC 6455 still need them on the wire; nothing is trusted to them.
[[nodiscard]] md5_digest md5(std::span<const base::byte_view> parts) noexcept;
[[nodiscard]] sha1_digest sha1(std::span<const base::byte_view> parts) noexcept;
[[nodiscard]] sha256_digest sha256(std::span<const base::byte_view> parts) noexcept;
[[nodiscard]] sha384_digest sha384(base::byte_view data) noexcept;
[[nodiscard]] sha512_digest sha512(base::byte_view data) noexcept;

// sha1(data), or sha1({first, second}).
[[nodiscard]] inline md5_digest md5(base::byte_view data) noexcept { return md5(std::span(&data, 1)); }
[[nodiscard]] inline sha1_digest sha1(base::byte_view data) noexcept { return sha1(std::span(&data, 1)); }
[[nodiscard]] inline sha256_digest sha256(base::byte_view data) noexcept { return sha256(std::span(&data, 1)); }
[[nodiscard]] inline md5_digest md5(std::initializer_list<base::byte_view> p) noexcept {
  return md5(std::span(p.begin(), p.size()));
}
[[nodiscard]] inline sha1_digest sha1(std::initializer_list<base::byte_view> p) noexcept {
  return sha1(std::span(p.begin(), p.size()));
}
[[nodiscard]] inline sha256_digest sha256(std::initializer_list<base::byte_view> p) noexcept {
  return sha256(std::span(p.begin(), p.size()));
}

}  // namespace strata::crypto
