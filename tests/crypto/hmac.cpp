#include "crypto/hmac.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"

using namespace strata;
using base::as_bytes;

TEST_CASE("HMAC gives the values of RFC 2202 and RFC 4231") {
  const base::bytes key_20(20, 0x0b);
  const base::bytes long_80(80, 0xaa);
  const base::bytes long_131(131, 0xaa);
  CHECK(base::to_hex(crypto::hmac_sha1(key_20, as_bytes("Hi There"))) == "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(base::to_hex(crypto::hmac_sha1(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(base::to_hex(crypto::hmac_sha1(long_80, as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
        "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  CHECK(base::to_hex(crypto::hmac_sha256(key_20, as_bytes("Hi There"))) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(base::to_hex(crypto::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(base::to_hex(crypto::hmac_sha256(long_131, as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("A kept key signs many messages, in pieces or whole, as the one-shot form does") {
  const crypto::hmac_sha1_key sha1_key(as_bytes("VOkJxbRl1RmTxUk/WvJxBt"));
  const crypto::hmac_sha256_key sha256_key(as_bytes("VOkJxbRl1RmTxUk/WvJxBt"));
  base::bytes text;
  for (int i = 0; i < 200; ++i) {
    text.push_back(static_cast<std::uint8_t>(i));
    const base::byte_view whole = text;
    const base::byte_view pieces[] = {whole.first(text.size() / 3), whole.subspan(text.size() / 3)};
    CHECK(sha1_key.sign(pieces) == crypto::hmac_sha1(as_bytes("VOkJxbRl1RmTxUk/WvJxBt"), whole));
    CHECK(sha256_key.sign(pieces) == crypto::hmac_sha256(as_bytes("VOkJxbRl1RmTxUk/WvJxBt"), whole));
  }
}

TEST_CASE("Constant-time comparison says equal only for equal bytes of equal length") {
  CHECK(crypto::constant_time_equal({}, {}));
  CHECK(crypto::constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  CHECK_FALSE(crypto::constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  CHECK_FALSE(crypto::constant_time_equal(as_bytes("abc"), as_bytes("bbc")));
  CHECK_FALSE(crypto::constant_time_equal(as_bytes("abc"), as_bytes("abcd")));
}
