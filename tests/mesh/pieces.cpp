#include "mesh/pieces.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "sim/generator.hpp"

using namespace strata;
using namespace strata::mesh;

namespace {
base::bytes some_octets(std::size_t n) {
  base::bytes b(n);
  std::iota(b.begin(), b.end(), std::uint8_t{1});
  return b;
}
}  // namespace

TEST_CASE("a message is cut without hole and overlap, and no piece but the last is small") {
  for (const std::uint32_t total : {0u, 1u, 511u, 512u, 513u, 1024u, 5000u, 200'000u})
    for (const std::size_t most : {std::size_t{1}, std::size_t{512}, std::size_t{1000}, std::size_t{60'000}}) {
      std::uint32_t at = 0;
      do {
        const auto p = next_piece(total, at, most);
        REQUIRE(p.offset == at);
        REQUIRE(p.size <= std::max<std::size_t>(most, smallest_piece));
        at += p.size;
        REQUIRE((at == total || p.size >= smallest_piece));
      } while (at < total);
    }
  CHECK(next_piece(10, 4'000'000'000, 512).size == 0);
}

TEST_CASE("pieces in any order, twice and cut to different sizes make the message") {
  sim::generator g(3);
  const auto whole = some_octets(10'000);
  for (int round = 0; round < 50; ++round) {
    assembly a(10'000);
    std::size_t held = 0;
    while (!a.whole()) {
      const auto offset = static_cast<std::uint32_t>(g.next() % 10'000);
      const auto size = std::min<std::size_t>(10'000 - offset, 1 + g.next() % 2000);
      held += a.add(offset, base::byte_view(whole).subspan(offset, size));
      REQUIRE(held == a.held());
    }
    REQUIRE(a.add(0, whole) == 0);
    REQUIRE(a.take() == whole);
  }
}

TEST_CASE("what lies outside the message is not taken") {
  assembly a(1000);
  const auto o = some_octets(1001);
  CHECK(a.add(0, o) == 0);
  CHECK(a.add(1000, base::byte_view(o).first(1)) == 0);
  CHECK(a.add(0xffffffff, base::byte_view(o).first(1)) == 0);
  CHECK(a.add(999, base::byte_view(o).first(2)) == 0);
  CHECK(a.held() == 0);
  CHECK(a.add(999, base::byte_view(o).first(1)) == 1);
}

TEST_CASE("the first octets to arrive at a place stay") {
  assembly a(4);
  CHECK(a.add(1, base::as_bytes("bc")) == 2);
  CHECK(a.add(0, base::as_bytes("XXXX")) == 2);
  CHECK(a.whole());
  CHECK(base::as_text(a.take()) == "XbcX");
}

TEST_CASE("an empty message is whole at once") {
  assembly a(0);
  CHECK(a.whole());
  CHECK(a.take().empty());
}

TEST_CASE("a budget gives no more than it has") {
  budget b(100);
  CHECK(b.take(60));
  CHECK(!b.take(41));
  CHECK(b.take(40));
  CHECK(!b.take(1));
  b.give_back(50);
  CHECK(b.used() == 50);
  CHECK(b.take(50));
}
