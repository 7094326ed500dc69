#include "crypto/aes_gcm.hpp"

#include <doctest/doctest.h>
#include <mbedtls/gcm.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/hex.hpp"

using namespace strata;
using crypto::aes_128_gcm;

namespace {

base::bytes hex(std::string_view text) { return *base::from_hex(text); }

aes_128_gcm gcm_for(const base::bytes& key) { return aes_128_gcm(aes_128_gcm::key_view(key.data(), 16)); }
aes_128_gcm::nonce_view nonce_of(const base::bytes& nonce) { return aes_128_gcm::nonce_view(nonce.data(), 12); }

}  // namespace

TEST_CASE("AES-128-GCM gives the ciphertexts and tags of its specification's test cases 1 to 4") {
  struct row {
    const char *key, *nonce, *plain, *associated, *sealed;
  };
  const char* long_key = "feffe9928665731c6d6a8f9467308308";
  const char* long_plain =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b3"
      "9";
  const row rows[] = {
      {"00000000000000000000000000000000", "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
      {"00000000000000000000000000000000", "000000000000000000000000", "00000000000000000000000000000000", "",
       "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
      {long_key, "cafebabefacedbaddecaf888",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b3"
       "9"
       "1aafd255",
       "",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e09"
       "1"
       "473f59854d5c2af327cd64a62cf35abd2ba6fab4"},
      {long_key, "cafebabefacedbaddecaf888", long_plain, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e09"
       "1"
       "5bc94fbc3221a5db94fae95ae7121a47"},
  };
  for (const row& r : rows) {
    const auto gcm = gcm_for(hex(r.key));
    const base::bytes nonce = hex(r.nonce), plain = hex(r.plain), associated = hex(r.associated);
    base::bytes sealed(plain.size() + 16), opened(plain.size() + 1);
    gcm.seal(nonce_of(nonce), associated, plain, sealed.data());
    CHECK(base::to_hex(sealed) == r.sealed);
    CHECK(gcm.open(nonce_of(nonce), associated, sealed, opened.data()));
    CHECK(std::equal(plain.begin(), plain.end(), opened.begin()));
  }
}

TEST_CASE("AES-128-GCM agrees with mbedTLS at every length of text and associated data, also in place") {
  std::mt19937 random(11);
  for (std::size_t size = 0; size < 1300; size += size < 300 ? 1 : 37) {
    base::bytes key(16), nonce(12), plain(size), associated(size % 45);
    for (auto* part : {&key, &nonce, &plain, &associated})
      for (auto& octet : *part) octet = static_cast<std::uint8_t>(random());
    const auto gcm = gcm_for(key);

    base::bytes expected(size + 16);
    mbedtls_gcm_context reference;
    mbedtls_gcm_init(&reference);
    mbedtls_gcm_setkey(&reference, MBEDTLS_CIPHER_ID_AES, key.data(), 128);
    mbedtls_gcm_crypt_and_tag(&reference, MBEDTLS_GCM_ENCRYPT, size, nonce.data(), 12, associated.data(), associated.size(),
                              plain.data(), expected.data(), 16, expected.data() + size);
    mbedtls_gcm_free(&reference);

    base::bytes sealed(size + 16);
    gcm.seal(nonce_of(nonce), associated, plain, sealed.data());
    REQUIRE(sealed == expected);
    base::bytes in_place = plain;
    in_place.resize(size + 16);
    gcm.seal(nonce_of(nonce), associated, base::byte_view(in_place).first(size), in_place.data());
    REQUIRE(in_place == expected);
    REQUIRE(gcm.open(nonce_of(nonce), associated, in_place, in_place.data()));
    in_place.resize(size);
    REQUIRE(in_place == plain);
  }
}

TEST_CASE("AES-128-GCM opens nothing that was changed in any bit, and leaves zeros") {
  const base::bytes key(16, 1), nonce(12, 2), associated(13, 3), plain(150, 4);
  const auto gcm = gcm_for(key);
  base::bytes sealed(plain.size() + 16), out(plain.size());
  gcm.seal(nonce_of(nonce), associated, plain, sealed.data());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    base::bytes bad = sealed;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1 << bit % 8);
    REQUIRE_FALSE(gcm.open(nonce_of(nonce), associated, bad, out.data()));
    REQUIRE(std::all_of(out.begin(), out.end(), [](auto octet) { return octet == 0; }));
  }
  base::bytes other = associated;
  other[0] ^= 1;
  CHECK_FALSE(gcm.open(nonce_of(nonce), other, sealed, out.data()));
  CHECK_FALSE(gcm.open(nonce_of(nonce), associated, base::byte_view(sealed).first(15), out.data()));
  CHECK(gcm.open(nonce_of(nonce), associated, sealed, out.data()));
}
