#include "registry/guess_limits.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

constexpr base::instant start{1h};
base::ip_address ip(std::string_view text) { return *base::ip_address::parse(text); }
base::ip_address nth(std::uint32_t n) { return base::ip_address::v4(0x0a000000u + n); }

// One try, as a caller makes it.
bool tried(guess_limits& l, const base::ip_address& from, base::instant now) {
  if (l.wait(from, now)) return false;
  l.count(from, now);
  return true;
}

}  // namespace

TEST_CASE("an address has five tries in any sixty seconds") {
  guess_limits l(code_guesses);
  const auto a = ip("192.0.2.1");
  for (int i = 0; i < 5; ++i) CHECK(tried(l, a, start + i * 10s));
  CHECK(l.wait(a, start + 50s) == 10s);
  CHECK(l.wait(a, start + 59s) == 1s);
  CHECK(l.wait(a, start + 59'999ms) == 1s);
  CHECK_FALSE(tried(l, a, start + 59'999ms));
  CHECK(tried(l, a, start + 60s));  // the first has left the window, and only that one
  CHECK_FALSE(tried(l, a, start + 60s));
  CHECK(tried(l, a, start + 70s));
  CHECK(tried(l, ip("192.0.2.2"), start + 70s));
}

TEST_CASE("asking costs no try") {
  guess_limits l(code_guesses);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(l.wait(ip("192.0.2.1"), start));
  CHECK(l.addresses() == 0);
}

TEST_CASE("a /64 of IPv6 is one address, and a mapped IPv4 address is the IPv4 address") {
  guess_limits l(code_guesses);
  for (int i = 0; i < 5; ++i) CHECK(tried(l, ip("2001:db8:1:2::" + std::to_string(i + 1)), start));
  CHECK_FALSE(tried(l, ip("2001:db8:1:2:ffff:ffff:ffff:ffff"), start));
  CHECK_FALSE(tried(l, ip("2001:db8:1:2::1%3"), start));
  CHECK(tried(l, ip("2001:db8:1:3::1"), start));
  for (int i = 0; i < 5; ++i) CHECK(tried(l, i % 2 == 0 ? ip("192.0.2.1") : ip("::ffff:192.0.2.1"), start));
  CHECK_FALSE(tried(l, ip("::ffff:192.0.2.1"), start));
}

TEST_CASE("a thousand addresses have no more tries together than everybody has") {
  guess_limits l(code_guesses);
  std::size_t made = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) made += tried(l, nth(i), start + i * 1ms);
  CHECK(made == code_guesses.total);
  CHECK(l.wait(nth(5000), start + 2s) == 58s);
  CHECK(tried(l, nth(5000), start + 60s));
}

TEST_CASE("a flood from everywhere does not keep out who has shown a good credential") {
  guess_limits l(token_guesses);
  const auto known = ip("198.51.100.1");
  l.vouch(known, start);
  for (std::uint32_t i = 0; i < 10'000; ++i) (void)tried(l, nth(i), start + 1s);
  CHECK(l.wait(nth(99'999), start + 2s));
  CHECK_FALSE(l.wait(known, start + 2s));
  // Its own wrong tries still end.
  for (std::size_t i = 0; i < token_guesses.per_address; ++i) CHECK(tried(l, known, start + 2s));
  CHECK_FALSE(tried(l, known, start + 2s));
}

TEST_CASE("having been good wears off") {
  guess_limits l(token_guesses);
  l.vouch(nth(1), start);
  const auto later = start + guess_limits::vouched_for;
  for (std::uint32_t i = 100; i < 10'000; ++i) (void)tried(l, nth(i), later - 1s);
  CHECK_FALSE(l.wait(nth(1), later - 1ns));
  CHECK(l.wait(nth(1), later));
}

TEST_CASE("what is remembered is bounded, and forgotten with the window") {
  guess_limits l(token_guesses);
  for (std::uint32_t i = 0; i < 100'000; ++i) l.count(nth(i), start);  // without even asking
  CHECK(l.addresses() == token_guesses.total);
  for (std::uint32_t i = 0; i < 100'000; ++i) l.count(nth(7), start);
  CHECK(l.addresses() == token_guesses.total);
  CHECK_FALSE(l.wait(nth(1), start + 60s));
  CHECK(l.addresses() == 0);
  for (std::uint32_t i = 0; i < 10'000; ++i) l.vouch(nth(i), start + i * 1ms);
  CHECK(l.addresses() == guess_limits::most_vouched);
  CHECK_FALSE(l.wait(nth(9'999), start + 60s));
}

TEST_CASE("a vouched address whose hour ends in the middle of a window is still counted right") {
  guess_limits l({3, 4});
  l.vouch(nth(1), start);
  const auto end = start + guess_limits::vouched_for;
  CHECK(tried(l, nth(1), end - 1s));
  CHECK(tried(l, nth(1), end));
  CHECK(tried(l, nth(1), end));
  CHECK_FALSE(tried(l, nth(1), end));
  CHECK(tried(l, nth(2), end));
  CHECK(tried(l, nth(2), end));
  CHECK_FALSE(tried(l, nth(3), end));
  CHECK(tried(l, nth(3), end + 60s));
  CHECK(l.addresses() == 2);
}
