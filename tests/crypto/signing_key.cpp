#include "crypto/signing_key.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "crypto/error.hpp"

using namespace strata;
using base::as_bytes;

namespace {

// RFC 5915: an ECPrivateKey that holds the number and the name of the curve, nothing else.
std::string pem_of(std::string_view scalar_hex) {
  auto der = *base::from_hex("30310201010420");
  const auto scalar = *base::from_hex(scalar_hex), curve = *base::from_hex("a00a06082a8648ce3d030107");
  der.insert(der.end(), scalar.begin(), scalar.end());
  der.insert(der.end(), curve.begin(), curve.end());
  return "-----BEGIN EC PRIVATE KEY-----\n" + base::base64_encode(der) + "\n-----END EC PRIVATE KEY-----\n";
}

constexpr auto rfc_key = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

crypto::random_source counting(std::uint8_t from) {
  return [n = from](base::byte_span out) mutable {
    for (auto& octet : out) octet = n++;
  };
}

}  // namespace

TEST_CASE("a signature is the one of RFC 6979 A.2.5") {
  // req: 8725-3.2-c
  const auto key = crypto::signing_key::from_pem(pem_of(rfc_key));
  REQUIRE(key);
  CHECK(base::to_hex(key->public_key().octets()) ==
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
  CHECK(base::to_hex(key->sign(as_bytes("sample"))) ==
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  CHECK(base::to_hex(key->sign(as_bytes("test"))) ==
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
}

TEST_CASE("a signature holds for its data and its key, and for nothing else") {
  const auto key = crypto::signing_key::generate(counting(1)), other = crypto::signing_key::generate(counting(77));
  const auto s = key.sign(as_bytes("who I am"));
  CHECK(key.public_key().verify(as_bytes("who I am"), s));
  CHECK_FALSE(key.public_key().verify(as_bytes("who I am not"), s));
  CHECK_FALSE(other.public_key().verify(as_bytes("who I am"), s));
  for (std::size_t i = 0; i < s.size(); ++i) {
    auto bent = s;
    bent[i] ^= 1;
    CHECK_FALSE(key.public_key().verify(as_bytes("who I am"), bent));
  }
}

TEST_CASE("signatures of impossible numbers or lengths are no signatures") {
  const auto key = crypto::signing_key::from_pem(pem_of(rfc_key))->public_key();
  const auto good = crypto::signing_key::from_pem(pem_of(rfc_key))->sign(as_bytes("sample"));
  crypto::signature zero{}, all_ones{};
  all_ones.fill(0xff);
  CHECK_FALSE(key.verify(as_bytes("sample"), zero));
  CHECK_FALSE(key.verify(as_bytes("sample"), all_ones));
  CHECK_FALSE(key.verify(as_bytes("sample"), {}));
  CHECK_FALSE(key.verify(as_bytes("sample"), base::byte_view(good).first(63)));
  auto no_s = good;
  std::fill(no_s.begin() + 32, no_s.end(), 0);
  CHECK_FALSE(key.verify(as_bytes("sample"), no_s));
}

TEST_CASE("a key survives its PEM, and the same random bytes give the same key") {
  const auto key = crypto::signing_key::generate(counting(9));
  const auto again = crypto::signing_key::from_pem(key.pem());
  REQUIRE(again);
  CHECK(again->public_key() == key.public_key());
  CHECK(again->sign(as_bytes("x")) == key.sign(as_bytes("x")));
  CHECK(crypto::signing_key::generate(counting(9)).public_key() == key.public_key());
}

TEST_CASE("what is no private key on P-256 is refused") {
  for (const auto* text : {"", "hello", "-----BEGIN EC PRIVATE KEY-----\n",
                           "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"}) {
    const auto key = crypto::signing_key::from_pem(text);
    REQUIRE_FALSE(key);
    CHECK(key.error() == crypto::errc::malformed_key);
  }
  CHECK_FALSE(crypto::signing_key::from_pem(pem_of(std::string(64, '0'))));  // the number zero
  CHECK_FALSE(crypto::signing_key::from_pem(pem_of(std::string(64, 'f'))));  // beyond the order of the group
}

TEST_CASE("what is no point of the curve is no public key") {
  const auto good = crypto::signing_key::generate(counting(3)).public_key();
  CHECK(crypto::public_key::from(good.octets()) == good);
  base::bytes octets(good.octets().begin(), good.octets().end());
  auto off_the_curve = octets;
  off_the_curve[40] ^= 1;
  auto compressed = octets;
  compressed[0] = 0x02;
  auto infinity = base::bytes{0};
  auto longer = octets;
  longer.push_back(0);
  for (const auto& bad : {off_the_curve, compressed, infinity, longer, base::bytes{}})
    CHECK_FALSE(crypto::public_key::from(bad));
}
