#include "crypto/fingerprint.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "crypto/error.hpp"

using namespace strata;
using crypto::hash_function;

namespace {
const base::bytes certificate = base::to_bytes("stands for the DER of a certificate");
const base::bytes another = base::to_bytes("stands for the DER of another one");
}  // namespace

// req: 8122-5-c
TEST_CASE("A fingerprint is written with a lower-case name and upper-case hex, and read in either case") {
  for (auto h :
       {hash_function::sha_1, hash_function::sha_224, hash_function::sha_256, hash_function::sha_384, hash_function::sha_512}) {
    const auto made = crypto::fingerprint_of(certificate, h);
    const std::string text = crypto::format(made);
    CHECK(text.starts_with(std::string(crypto::to_string(h)) + " "));
    CHECK(text.size() == crypto::to_string(h).size() + 3 * crypto::digest_size(h));
    CHECK(std::none_of(text.begin() + 7, text.end(), [](char c) { return c >= 'a' && c <= 'z'; }));
    CHECK(crypto::parse_fingerprint(text) == made);
    std::string lower = text, upper = text;
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    CHECK(crypto::parse_fingerprint(lower) == made);
    CHECK(crypto::parse_fingerprint(upper) == made);
  }
}

// req: 8122-5-b
TEST_CASE("MD2, MD5 and unknown hash functions are refused by name") {
  for (const char* text : {"md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", "md2 00", "sha-3 00", " 00", "sha256 00"})
    CHECK(crypto::parse_fingerprint(text).error().code == make_error_code(crypto::errc::unknown_hash));
}

TEST_CASE("A malformed fingerprint is refused, and the error points at the place") {
  const std::string good = crypto::format(crypto::fingerprint_of(certificate, hash_function::sha_1));
  struct row {
    std::string text;
    crypto::errc error;
    std::size_t offset;
  };
  const row rows[] = {
      {"", crypto::errc::malformed_fingerprint, 0},
      {"sha-1", crypto::errc::malformed_fingerprint, 5},
      {"sha-1 ", crypto::errc::malformed_fingerprint, 6},
      {"sha-1  AA", crypto::errc::malformed_fingerprint, 6},
      {"sha-1 A", crypto::errc::malformed_fingerprint, 7},
      {"sha-1 AG", crypto::errc::malformed_fingerprint, 7},
      {"sha-1 AA-BB", crypto::errc::malformed_fingerprint, 8},
      {"sha-1 AA:", crypto::errc::malformed_fingerprint, 9},
      {"sha-1 AA:BB", crypto::errc::wrong_digest_length, 11},
      {good + ":", crypto::errc::malformed_fingerprint, good.size() + 1},
      {good + ":AA", crypto::errc::wrong_digest_length, good.size() + 1},
      {good + " ", crypto::errc::malformed_fingerprint, good.size()},
      {good.substr(0, good.size() - 3), crypto::errc::wrong_digest_length, good.size() - 3},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    const auto parsed = crypto::parse_fingerprint(r.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error() == base::error(r.error, r.offset));
  }
}

// req: 8122-5.1-c
TEST_CASE("Only the best hash function of the list decides, and one match in its set is enough") {
  const auto right_1 = crypto::fingerprint_of(certificate, hash_function::sha_1);
  const auto right_256 = crypto::fingerprint_of(certificate, hash_function::sha_256);
  const auto right_512 = crypto::fingerprint_of(certificate, hash_function::sha_512);
  const auto wrong_1 = crypto::fingerprint_of(another, hash_function::sha_1);
  const auto wrong_256 = crypto::fingerprint_of(another, hash_function::sha_256);
  const auto wrong_512 = crypto::fingerprint_of(another, hash_function::sha_512);
  using list = std::vector<crypto::fingerprint>;
  CHECK(crypto::matches(list{right_256}, certificate));
  CHECK(crypto::matches(list{wrong_256, right_256}, certificate));
  CHECK(crypto::matches(list{wrong_1, right_256}, certificate));
  CHECK(crypto::matches(list{wrong_256, right_512}, certificate));
  CHECK(crypto::matches(list{right_1}, certificate));  // nothing better was offered
  CHECK_FALSE(crypto::matches(list{right_1, wrong_256}, certificate));
  CHECK_FALSE(crypto::matches(list{right_256, wrong_512}, certificate));
  CHECK_FALSE(crypto::matches(list{wrong_256}, certificate));
  CHECK_FALSE(crypto::matches(list{wrong_1}, certificate));
  CHECK_FALSE(crypto::matches(list{}, certificate));
}
