#include "crypto/hmac.hpp"

#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>

#include <algorithm>

namespace strata::crypto {
namespace {

constexpr std::size_t block = 64;  // both hashes take 64 bytes a step

// One digest of mbedTLS in the shape that the two functions below need. Its contexts are public structures in the 2.28
// series, which lets the state after the padded key be kept as bare words.
struct sha1_rules {
  using context = mbedtls_sha1_context;
  using digest = sha1_digest;
  static void start(context& c) { mbedtls_sha1_init(&c), mbedtls_sha1_starts_ret(&c); }
  static void update(context& c, base::byte_view d) { mbedtls_sha1_update_ret(&c, d.data(), d.size()); }
  static void finish(context& c, digest& out) { mbedtls_sha1_finish_ret(&c, out.data()), mbedtls_sha1_free(&c); }
  static digest hash(base::byte_view d) { return sha1(d); }
};

struct sha256_rules {
  using context = mbedtls_sha256_context;
  using digest = sha256_digest;
  static void start(context& c) { mbedtls_sha256_init(&c), mbedtls_sha256_starts_ret(&c, 0); }
  static void update(context& c, base::byte_view d) { mbedtls_sha256_update_ret(&c, d.data(), d.size()); }
  static void finish(context& c, digest& out) { mbedtls_sha256_finish_ret(&c, out.data()), mbedtls_sha256_free(&c); }
  static digest hash(base::byte_view d) { return sha256(d); }
};

// RFC 2104 §2: the state after the first block, which is the key padded with zeros and mixed with `pad`.
template <class Rules, class Words>
void absorb(base::byte_view key, std::uint8_t pad, Words& state) {
  std::array<std::uint8_t, block> padded{};
  if (key.size() > block) {  // RFC 2104 §3: a key longer than a block is hashed first
    const auto hashed = Rules::hash(key);
    std::copy(hashed.begin(), hashed.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  for (std::uint8_t& octet : padded) octet ^= pad;
  typename Rules::context ctx;
  Rules::start(ctx);
  Rules::update(ctx, padded);
  std::copy_n(std::begin(ctx.state), state.size(), state.begin());
}

template <class Rules, class Words>
void resume(typename Rules::context& ctx, const Words& state) {
  Rules::start(ctx);
  std::copy(state.begin(), state.end(), std::begin(ctx.state));
  ctx.total[0] = block;  // the block of the key has gone through already
}

template <class Rules, class Words>
typename Rules::digest sign_with(const Words& inner, const Words& outer, std::span<const base::byte_view> parts) {
  typename Rules::context ctx;
  typename Rules::digest digest{};
  resume<Rules>(ctx, inner);
  for (base::byte_view part : parts) Rules::update(ctx, part);
  Rules::finish(ctx, digest);
  resume<Rules>(ctx, outer);
  Rules::update(ctx, digest);
  Rules::finish(ctx, digest);
  return digest;
}

}  // namespace

hmac_sha1_key::hmac_sha1_key(base::byte_view key) noexcept {
  absorb<sha1_rules>(key, 0x36, inner_);
  absorb<sha1_rules>(key, 0x5c, outer_);
}

sha1_digest hmac_sha1_key::sign(std::span<const base::byte_view> parts) const noexcept {
  return sign_with<sha1_rules>(inner_, outer_, parts);
}

hmac_sha256_key::hmac_sha256_key(base::byte_view key) noexcept {
  absorb<sha256_rules>(key, 0x36, inner_);
  absorb<sha256_rules>(key, 0x5c, outer_);
}

sha256_digest hmac_sha256_key::sign(std::span<const base::byte_view> parts) const noexcept {
  return sign_with<sha256_rules>(inner_, outer_, parts);
}

sha1_digest hmac_sha1(base::byte_view key, std::span<const base::byte_view> parts) noexcept {
  return hmac_sha1_key(key).sign(parts);
}

sha256_digest hmac_sha256(base::byte_view key, std::span<const base::byte_view> parts) noexcept {
  return hmac_sha256_key(key).sign(parts);
}

bool constant_time_equal(base::byte_view a, base::byte_view b) noexcept {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;  // volatile keeps the compiler from leaving the loop early
  for (std::size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace strata::crypto
