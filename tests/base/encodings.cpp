#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "base/crc32.hpp"
#include "base/hex.hpp"

using namespace strata::base;

TEST_CASE("crc32 and crc32c give the published check values") {
  CHECK(crc32(as_bytes("123456789")) == 0xCBF43926u);
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283u);
  CHECK(crc32c_portable(as_bytes("123456789")) == 0xE3069283u);
}

TEST_CASE("both forms of crc32c agree at every length and alignment") {
  bytes data(300);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 131 + 7);
  for (std::size_t from = 0; from < 9; ++from)
    for (std::size_t n = 0; from + n <= data.size(); n += 7) {
      const byte_view part(data.data() + from, n);
      CHECK(crc32c(part) == crc32c_portable(part));
    }
}

TEST_CASE("base64 follows the vectors of RFC 4648 section 10") {
  const char* vectors[][2] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                              {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (auto& [plain, text] : vectors) {
    CHECK(base64_encode(as_bytes(plain)) == text);
    CHECK(base64_decode(text) == to_bytes(plain));
  }
}

TEST_CASE("base64 refuses text that is not canonical") {
  for (const char* bad : {"Zg", "Zg=", "Zg===", "Zh==", "Z===", "Zm9v\n", "Zm-v", "=Zg="}) CHECK_FALSE(base64_decode(bad));
  for (const char* bad : {"Zg==", "Zh", "Z", "Zm+v"}) CHECK_FALSE(base64url_decode(bad));
  CHECK(base64url_decode("Zg") == to_bytes("f"));
}

TEST_CASE("hex reads what it writes and refuses half octets") {
  CHECK(from_hex(to_hex(as_bytes("strata"))) == to_bytes("strata"));
  CHECK(from_hex("DE AD\nbe ef")->size() == 4);
  CHECK_FALSE(from_hex("abc"));
  CHECK_FALSE(from_hex("zz"));
}
