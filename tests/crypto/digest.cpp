#include "crypto/digest.hpp"

#include <doctest/doctest.h>

#include "base/hex.hpp"

using namespace strata;
using base::as_bytes;

TEST_CASE("Digests of the empty message and of abc are the published ones") {
  CHECK(base::to_hex(crypto::md5(base::byte_view{})) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(base::to_hex(crypto::md5(as_bytes("abc"))) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(base::to_hex(crypto::sha1(as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(base::to_hex(crypto::sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(base::to_hex(crypto::sha384(as_bytes("abc"))) ==
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  CHECK(base::to_hex(crypto::sha512(as_bytes("abc"))) ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("A digest does not depend on how the message is cut into pieces") {
  base::bytes text(300);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(i);
  const base::byte_view whole = text;
  for (std::size_t cut : {0U, 1U, 63U, 64U, 65U, 128U, 299U, 300U}) {
    CHECK(crypto::md5({whole.first(cut), whole.subspan(cut)}) == crypto::md5(whole));
    CHECK(crypto::sha1({whole.first(cut), whole.subspan(cut)}) == crypto::sha1(whole));
    CHECK(crypto::sha256({whole.first(cut), whole.subspan(cut)}) == crypto::sha256(whole));
  }
}
