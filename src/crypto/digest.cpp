#include "crypto/digest.hpp"

#include <algorithm>

#include <mbedtls/md5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

namespace strata::crypto {

// The software digests of mbedTLS return errors only for the sake of accelerators that could fail; there are none here.

md5_digest md5(std::span<const base::byte_view> parts) noexcept {
  md5_digest out{};
  mbedtls_md5_context ctx;
  mbedtls_md5_init(&ctx);
  mbedtls_md5_starts_ret(&ctx);
  for (base::byte_view part : parts) mbedtls_md5_update_ret(&ctx, part.data(), part.size());
  mbedtls_md5_finish_ret(&ctx, out.data());
  mbedtls_md5_free(&ctx);
  return out;
}

sha1_digest sha1(std::span<const base::byte_view> parts) noexcept {
  sha1_digest out{};
  mbedtls_sha1_context ctx;
  mbedtls_sha1_init(&ctx);
  mbedtls_sha1_starts_ret(&ctx);
  for (base::byte_view part : parts) mbedtls_sha1_update_ret(&ctx, part.data(), part.size());
  mbedtls_sha1_finish_ret(&ctx, out.data());
  mbedtls_sha1_free(&ctx);
  return out;
}

sha256_digest sha256(std::span<const base::byte_view> parts) noexcept {
  sha256_digest out{};
  mbedtls_sha256_context ctx;
  mbedtls_sha256_init(&ctx);
  mbedtls_sha256_starts_ret(&ctx, 0);
  for (base::byte_view part : parts) mbedtls_sha256_update_ret(&ctx, part.data(), part.size());
  mbedtls_sha256_finish_ret(&ctx, out.data());
  mbedtls_sha256_free(&ctx);
  return out;
}

sha384_digest sha384(base::byte_view data) noexcept {
  sha512_digest wide{};  // mbedTLS writes 48 bytes here, but is declared to take 64
  mbedtls_sha512_ret(data.data(), data.size(), wide.data(), 1);
  sha384_digest out{};
  std::copy_n(wide.begin(), out.size(), out.begin());
  return out;
}

sha512_digest sha512(base::byte_view data) noexcept {
  sha512_digest out{};
  mbedtls_sha512_ret(data.data(), data.size(), out.data(), 0);
  return out;
}

}  // namespace strata::crypto
