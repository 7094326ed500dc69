#include "crypto/aes_gcm.hpp"

#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "crypto/hmac.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define STRATA_AES __attribute__((target("aes,pclmul,ssse3,sse4.1")))
#endif

namespace strata::crypto {

#if defined(__x86_64__)
namespace {

constexpr std::size_t lane = 8;  // blocks at a time

STRATA_AES inline __m128i load(const std::uint8_t* from) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
STRATA_AES inline void store(std::uint8_t* to, __m128i value) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}
STRATA_AES inline __m128i reversed(__m128i value) noexcept {
  return _mm_shuffle_epi8(value, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
// The first `size` octets, zeros behind them.
STRATA_AES inline __m128i load_part(const std::uint8_t* from, std::size_t size) noexcept {
  alignas(16) std::uint8_t block[16] = {};
  std::memcpy(block, from, size);
  return load(block);
}

// --- AES-128 (FIPS 197) ---

struct schedule {
  __m128i key[11];
};

template <int Constant>
STRATA_AES inline __m128i next_key(__m128i key) noexcept {
  __m128i mixed = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, Constant), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, mixed);
}

STRATA_AES void expand(const std::uint8_t* key, std::uint8_t* out) noexcept {
  __m128i k = load(key);
  store(out, k);
  store(out + 16, k = next_key<0x01>(k));
  store(out + 32, k = next_key<0x02>(k));
  store(out + 48, k = next_key<0x04>(k));
  store(out + 64, k = next_key<0x08>(k));
  store(out + 80, k = next_key<0x10>(k));
  store(out + 96, k = next_key<0x20>(k));
  store(out + 112, k = next_key<0x40>(k));
  store(out + 128, k = next_key<0x80>(k));
  store(out + 144, k = next_key<0x1b>(k));
  store(out + 160, k = next_key<0x36>(k));
}

STRATA_AES inline schedule load_schedule(const std::uint8_t* round_keys) noexcept {
  schedule s;
  for (int i = 0; i < 11; ++i) s.key[i] = load(round_keys + 16 * i);
  return s;
}

template <std::size_t Blocks>
STRATA_AES inline void encrypt(const schedule& s, __m128i (&block)[Blocks]) noexcept {
  for (auto& b : block) b = _mm_xor_si128(b, s.key[0]);
  for (int round = 1; round < 10; ++round)
    for (auto& b : block) b = _mm_aesenc_si128(b, s.key[round]);
  for (auto& b : block) b = _mm_aesenclast_si128(b, s.key[10]);
}

// The counter block: nonce, then a big-endian number that begins with 1 for the tag and 2 for the data.
STRATA_AES inline __m128i counter_block(__m128i nonce, std::uint32_t number) noexcept {
  return _mm_insert_epi32(nonce, static_cast<int>(__builtin_bswap32(number)), 3);
}

// --- GHASH as POLYVAL (RFC 8452 appendix A): octets reversed, so that no bit ever is ---

// A product of 256 bits in three parts that add up; several can be added before one reduction.
struct product {
  __m128i low, middle, high;
};

STRATA_AES inline product multiply(__m128i a, __m128i b) noexcept {
  return {_mm_clmulepi64_si128(a, b, 0x00), _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10)),
          _mm_clmulepi64_si128(a, b, 0x11)};
}
STRATA_AES inline product add(const product& a, const product& b) noexcept {
  return {_mm_xor_si128(a.low, b.low), _mm_xor_si128(a.middle, b.middle), _mm_xor_si128(a.high, b.high)};
}
// Modulo x^128 + x^127 + x^126 + x^121 + 1, divided by x^128: two folds of 64 bits.
STRATA_AES inline __m128i reduce(const product& p) noexcept {
  const __m128i fold = _mm_set_epi64x(static_cast<long long>(0xc200000000000000ULL), 1);
  __m128i low = _mm_xor_si128(p.low, _mm_slli_si128(p.middle, 8));
  const __m128i high = _mm_xor_si128(p.high, _mm_srli_si128(p.middle, 8));
  for (int i = 0; i < 2; ++i) low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, fold, 0x10));
  return _mm_xor_si128(high, low);
}

// RFC 8452 appendix A: the hash key times x, without a branch on its highest bit.
STRATA_AES inline __m128i times_x(__m128i value) noexcept {
  const __m128i carries = _mm_srli_epi64(value, 63);
  const __m128i shifted = _mm_or_si128(_mm_slli_epi64(value, 1), _mm_slli_si128(carries, 8));
  const __m128i overflow = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carries, carries));
  const __m128i polynomial = _mm_set_epi64x(static_cast<long long>(0xc200000000000000ULL), 1);
  return _mm_xor_si128(shifted, _mm_and_si128(overflow, polynomial));
}

class hash {
 public:
  STRATA_AES explicit hash(const std::uint8_t* powers) noexcept : powers_(powers), sum_(_mm_setzero_si128()) {}

  STRATA_AES inline void add_block(__m128i block) noexcept {
    sum_ = reduce(multiply(_mm_xor_si128(sum_, reversed(block)), power(1)));
  }
  STRATA_AES inline void add_lane(const __m128i (&block)[lane]) noexcept {
    product total = multiply(_mm_xor_si128(sum_, reversed(block[0])), power(lane));
    for (std::size_t i = 1; i < lane; ++i) total = add(total, multiply(reversed(block[i]), power(lane - i)));
    sum_ = reduce(total);
  }
  STRATA_AES void add_bytes(base::byte_view data) noexcept {
    for (; data.size() >= 16; data = data.subspan(16)) add_block(load(data.data()));
    if (!data.empty()) add_block(load_part(data.data(), data.size()));
  }
  STRATA_AES __m128i finish(std::size_t associated, std::size_t text) noexcept {
    // The block of lengths in bits, already reversed.
    const __m128i lengths = _mm_set_epi64x(static_cast<long long>(associated * 8), static_cast<long long>(text * 8));
    return reversed(reduce(multiply(_mm_xor_si128(sum_, lengths), power(1))));
  }

 private:
  STRATA_AES inline __m128i power(std::size_t n) const noexcept { return load(powers_ + 16 * (n - 1)); }
  const std::uint8_t* powers_;
  __m128i sum_;
};

enum class way : std::uint8_t { seal, open };

// Encrypts or decrypts `text` and gives the tag of the ciphertext.
template <way Way>
STRATA_AES __m128i run(const std::uint8_t* round_keys, const std::uint8_t* powers, const std::uint8_t* nonce_bytes,
                       base::byte_view associated, base::byte_view text, std::uint8_t* out) noexcept {
  const schedule keys = load_schedule(round_keys);
  const __m128i nonce = load_part(nonce_bytes, aes_128_gcm::nonce_size);
  std::uint32_t counter = 2;
  hash h(powers);
  h.add_bytes(associated);

  const std::uint8_t* in = text.data();
  std::size_t left = text.size();
  for (; left >= lane * 16; left -= lane * 16, in += lane * 16, out += lane * 16) {
    __m128i stream[lane], result[lane];
    for (auto& s : stream) s = counter_block(nonce, counter++);
    encrypt(keys, stream);
    for (std::size_t i = 0; i < lane; ++i) {
      const __m128i block = load(in + 16 * i);
      stream[i] = _mm_xor_si128(block, stream[i]);
      result[i] = Way == way::seal ? stream[i] : block;
    }
    for (std::size_t i = 0; i < lane; ++i) store(out + 16 * i, stream[i]);
    h.add_lane(result);
  }
  while (left > 0) {
    const std::size_t size = std::min<std::size_t>(left, 16);
    __m128i stream[1] = {counter_block(nonce, counter++)};
    encrypt(keys, stream);
    alignas(16) std::uint8_t block[16];
    store(block, _mm_xor_si128(load_part(in, size), stream[0]));
    const __m128i cipher = Way == way::seal ? load_part(block, size) : load_part(in, size);
    std::memcpy(out, block, size);
    h.add_block(cipher);
    left -= size, in += size, out += size;
  }
  __m128i first[1] = {counter_block(nonce, 1)};
  encrypt(keys, first);
  return _mm_xor_si128(h.finish(associated.size(), text.size()), first[0]);
}

STRATA_AES void prepare(const std::uint8_t* key, std::uint8_t* round_keys, std::uint8_t* powers) noexcept {
  expand(key, round_keys);
  __m128i zero[1] = {_mm_setzero_si128()};
  encrypt(load_schedule(round_keys), zero);
  const __m128i first = times_x(reversed(zero[0]));
  __m128i power = first;
  for (std::size_t i = 0; i < lane; ++i) {
    store(powers + 16 * i, power);
    power = reduce(multiply(power, first));
  }
}

STRATA_AES void store_tag(std::uint8_t* to, __m128i tag) noexcept { store(to, tag); }

}  // namespace

std::optional<aes_128_gcm> aes_128_gcm::make(key_view key) noexcept {
  if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
    return std::nullopt;
  return aes_128_gcm(key);
}

aes_128_gcm::aes_128_gcm(key_view key) noexcept { prepare(key.data(), round_keys_.data(), hash_powers_.data()); }

void aes_128_gcm::seal(nonce_view nonce, base::byte_view associated, base::byte_view plaintext,
                       std::uint8_t* out) const noexcept {
  store_tag(out + plaintext.size(),
            run<way::seal>(round_keys_.data(), hash_powers_.data(), nonce.data(), associated, plaintext, out));
}

bool aes_128_gcm::open(nonce_view nonce, base::byte_view associated, base::byte_view sealed, std::uint8_t* out) const noexcept {
  if (sealed.size() < tag_size) return false;
  const base::byte_view text = sealed.first(sealed.size() - tag_size);
  std::array<std::uint8_t, tag_size> expected;
  std::copy_n(sealed.end() - tag_size, tag_size, expected.begin());  // before `out` can overwrite it
  std::array<std::uint8_t, tag_size> tag;
  store_tag(tag.data(), run<way::open>(round_keys_.data(), hash_powers_.data(), nonce.data(), associated, text, out));
  if (constant_time_equal(tag, expected)) return true;
  std::fill_n(out, text.size(), std::uint8_t{0});  // nobody may look at what is not authentic
  return false;
}

#else

std::optional<aes_128_gcm> aes_128_gcm::make(key_view) noexcept { return std::nullopt; }
aes_128_gcm::aes_128_gcm(key_view) noexcept {}
void aes_128_gcm::seal(nonce_view, base::byte_view, base::byte_view, std::uint8_t*) const noexcept { std::abort(); }
bool aes_128_gcm::open(nonce_view, base::byte_view, base::byte_view, std::uint8_t*) const noexcept { std::abort(); }

#endif

aes_128_gcm::~aes_128_gcm() {
  mbedtls_platform_zeroize(round_keys_.data(), round_keys_.size());
  mbedtls_platform_zeroize(hash_powers_.data(), hash_powers_.size());
}

}  // namespace strata::crypto
