#include "crypto/fingerprint.hpp"

#include <mbedtls/sha256.h>

#include <algorithm>
#include <array>

#include "crypto/digest.hpp"
#include "crypto/error.hpp"
#include "crypto/hmac.hpp"

namespace strata::crypto {
namespace {

struct hash_row {
  hash_function algorithm;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<hash_row, 5> hashes{{
    {hash_function::sha_1, "sha-1", 20},
    {hash_function::sha_224, "sha-224", 28},
    {hash_function::sha_256, "sha-256", 32},
    {hash_function::sha_384, "sha-384", 48},
    {hash_function::sha_512, "sha-512", 64},
}};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class Digest>
base::bytes owned(const Digest& d) {
  return {d.begin(), d.end()};
}

}  // namespace

std::string_view to_string(hash_function h) noexcept { return hashes[static_cast<std::size_t>(h)].name; }

std::size_t digest_size(hash_function h) noexcept { return hashes[static_cast<std::size_t>(h)].size; }

std::optional<hash_function> hash_from_name(std::string_view name) noexcept {
  for (const hash_row& row : hashes)
    if (same_word(row.name, name)) return row.algorithm;
  return std::nullopt;
}

base::bytes digest(hash_function h, base::byte_view data) {
  switch (h) {
    case hash_function::sha_1: return owned(sha1(data));
    case hash_function::sha_224: {
      sha256_digest wide{};  // mbedTLS writes 28 bytes here, but is declared to take 32
      mbedtls_sha256_ret(data.data(), data.size(), wide.data(), 1);
      return {wide.begin(), wide.begin() + 28};
    }
    case hash_function::sha_256: return owned(sha256(data));
    case hash_function::sha_384: return owned(sha384(data));
    case hash_function::sha_512: return owned(sha512(data));
  }
  return {};
}

bool operator==(const fingerprint& a, const fingerprint& b) noexcept {
  return a.algorithm == b.algorithm && constant_time_equal(a.digest, b.digest);
}

std::string format(const fingerprint& f) {
  constexpr std::string_view digits = "0123456789ABCDEF";  // RFC 8122 §5: the hexadecimal letters are capitals
  std::string text(to_string(f.algorithm));
  char separator = ' ';
  for (std::uint8_t octet : f.digest) {
    text += separator;
    text += digits[octet >> 4];
    text += digits[octet & 15];
    separator = ':';
  }
  return text;
}

base::result<fingerprint> parse_fingerprint(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos)
    return base::fail(errc::malformed_fingerprint, text.size(), "a space after the hash function's name");
  const auto algorithm = hash_from_name(text.substr(0, space));
  if (!algorithm) return base::fail(errc::unknown_hash, 0, "sha-1, sha-224, sha-256, sha-384 or sha-512");

  fingerprint f{*algorithm, {}};
  const std::size_t size = digest_size(*algorithm);
  f.digest.reserve(size);
  for (std::size_t at = space + 1;; at += 3) {
    const int high = at < text.size() ? nibble(text[at]) : -1;
    if (high < 0) return base::fail(errc::malformed_fingerprint, at, "two hexadecimal digits");
    const int low = at + 1 < text.size() ? nibble(text[at + 1]) : -1;
    if (low < 0) return base::fail(errc::malformed_fingerprint, at + 1, "two hexadecimal digits");
    if (f.digest.size() == size) return base::fail(errc::wrong_digest_length, at, "the end of the digest");
    f.digest.push_back(static_cast<std::uint8_t>(high << 4 | low));
    if (at + 2 == text.size()) break;
    if (text[at + 2] != ':') return base::fail(errc::malformed_fingerprint, at + 2, "a colon");
  }
  if (f.digest.size() != size) return base::fail(errc::wrong_digest_length, text.size(), "more octets of the digest");
  return f;
}

fingerprint fingerprint_of(base::byte_view certificate_der, hash_function h) { return {h, digest(h, certificate_der)}; }

bool matches(std::span<const fingerprint> expected, base::byte_view certificate_der) {
  if (expected.empty()) return false;
  const hash_function best = std::max_element(expected.begin(), expected.end(), [](const fingerprint& a, const fingerprint& b) {
                               return a.algorithm < b.algorithm;
                             })->algorithm;
  const fingerprint shown = fingerprint_of(certificate_der, best);
  return std::find(expected.begin(), expected.end(), shown) != expected.end();
}

}  // namespace strata::crypto
