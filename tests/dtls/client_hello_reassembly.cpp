#include "dtls/client_hello_reassembly.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "hello.hpp"

using namespace strata;
using test::hello_fragment;
using reassembly = dtls::client_hello_reassembly;
using verdict = reassembly::verdict;

namespace {

base::bytes numbered(std::size_t size) {
  base::bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return out;
}
const base::bytes hello = numbered(1413);

bool is_whole(const reassembly::outcome& o, const base::bytes& expected) {
  if (o.what != verdict::complete) return false;
  base::byte_view rest = o.datagram;
  const auto record = dtls::take_record(rest);
  if (!record || !rest.empty()) return false;
  base::byte_view content = record->fragment;
  const auto f = dtls::take_fragment(content);
  return f && f->whole() && content.empty() && std::equal(f->body.begin(), f->body.end(), expected.begin(), expected.end());
}

}  // namespace

TEST_CASE("A hello in one piece passes without a copy") {
  reassembly r;
  const base::bytes whole = hello_fragment(hello, 0, hello.size(), 0);
  const auto o = r.take(whole);
  CHECK(o.what == verdict::complete);
  CHECK(o.datagram.data() == whole.data());
  CHECK(r.held_bytes() == 0);
}

// req: 6347-4.2.3-a
TEST_CASE("Two fragments make the hello in either order, as two datagrams, two records or one record") {
  const base::bytes first = hello_fragment(hello, 0, 1175, 0);
  const base::bytes second = hello_fragment(hello, 1175, 238, 1);
  reassembly in_order, reversed, one_datagram, one_record;
  CHECK(in_order.take(first).what == verdict::incomplete);
  CHECK(is_whole(in_order.take(second), hello));
  CHECK(reversed.take(second).what == verdict::incomplete);
  CHECK(is_whole(reversed.take(first), hello));
  CHECK(is_whole(one_datagram.take(test::joined(first, second)), hello));

  base::bytes content = base::to_bytes(base::byte_view(first).subspan(13));
  base::append(content, base::byte_view(second).subspan(13));
  base::bytes record = base::to_bytes(base::byte_view(first).first(11));
  record.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  record.push_back(static_cast<std::uint8_t>(content.size()));
  base::append(record, content);
  CHECK(is_whole(one_record.take(record), hello));
}

TEST_CASE("The whole record has the highest sequence number of its pieces, so that replay protection takes it") {
  reassembly r;
  r.take(hello_fragment(hello, 1175, 238, 9));
  const auto o = r.take(hello_fragment(hello, 0, 1175, 8));
  base::byte_view rest = o.datagram;
  CHECK(dtls::take_record(rest)->sequence == 9);
}

// req: 6347-4.2.3-a
TEST_CASE("Pieces of any size, overlapping, repeated and shuffled, make the same hello") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<base::bytes> pieces;
    std::uint64_t sequence = 0;
    for (std::size_t at = 0; at < hello.size();) {
      const std::size_t size = std::min<std::size_t>(hello.size() - at, 60 + random() % 600);
      const std::size_t back = std::min<std::size_t>(at, random() % 80);
      pieces.push_back(hello_fragment(hello, at - back, size + back, sequence++));
      if (random() % 3 == 0) pieces.push_back(pieces.back());
      at += size;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    reassembly r;
    bool complete = false;
    for (const auto& piece : pieces) {
      const auto o = r.take(piece);
      CHECK(r.invariant());
      if (o.what != verdict::complete) continue;
      complete = is_whole(o, hello);
      break;
    }
    CAPTURE(seed);
    CHECK(complete);
  }
}

TEST_CASE("A repeated hello after a complete one is put together again") {
  reassembly r;
  for (std::uint64_t round = 0; round < 3; ++round) {
    CHECK(r.take(hello_fragment(hello, 0, 1000, 2 * round)).what == verdict::incomplete);
    CHECK(is_whole(r.take(hello_fragment(hello, 1000, 413, 2 * round + 1)), hello));
    CHECK(r.held_bytes() == 0);
  }
}

TEST_CASE("The second hello, with the cookie, pushes a half first one aside") {
  reassembly r;
  const base::bytes second = numbered(1445);
  CHECK(r.take(hello_fragment(hello, 0, 1000, 0)).what == verdict::incomplete);
  CHECK(r.take(hello_fragment(second, 0, 1000, 2, 1)).what == verdict::incomplete);
  CHECK(is_whole(r.take(hello_fragment(second, 1000, 445, 3, 1)), second));
}

TEST_CASE("A fragment that contradicts the others begins afresh, and a later clean hello still gets through") {
  reassembly r;
  base::bytes forged = hello;
  forged[500] ^= 1;
  CHECK(r.take(hello_fragment(forged, 0, 1000, 0)).what == verdict::incomplete);
  CHECK(r.take(hello_fragment(hello, 400, 1013, 1)).what == verdict::incomplete);  // not mixed with the forgery
  CHECK(is_whole(r.take(hello_fragment(hello, 0, 1000, 2)), hello));
}

TEST_CASE("Hostile fragments are refused and never hold more than the bound") {
  const base::bytes huge = numbered(9000);
  const base::bytes small = numbered(41);
  reassembly r;
  CHECK(r.take(hello_fragment(huge, 0, 100, 0)).what == verdict::refused);
  CHECK(r.take(hello_fragment(small, 0, 20, 0)).what == verdict::refused);
  CHECK(r.take(hello_fragment(small, 0, 41, 0)).what == verdict::refused);
  CHECK(r.held_bytes() == 0);

  base::bytes beyond = hello_fragment(hello, 0, 100, 0);
  beyond[13 + 6] = 0xff;  // fragment offset far outside the message
  CHECK(r.take(beyond).what == verdict::refused);

  base::bytes cut = hello_fragment(hello, 0, 100, 0);
  cut[13 + 11] = 200;  // says more octets than there are
  CHECK(r.take(cut).what == verdict::refused);

  // Fragments with a hole after each: more holes than anybody honest makes.
  const base::bytes most = numbered(reassembly::largest_hello);
  bool refused = false;
  for (std::size_t i = 0; i <= reassembly::most_gaps && !refused; ++i)
    refused = r.take(hello_fragment(most, i * 2, 1, i)).what == verdict::refused;
  CHECK(refused);
  CHECK(r.held_bytes() == 0);

  for (std::uint16_t message = 0; message < 1000; ++message) {  // a new message every time
    r.take(hello_fragment(most, 0, 10, message, message));
    CHECK(r.held_bytes() <= reassembly::largest_hello);
  }
  CHECK(r.invariant());
}

TEST_CASE("Empty fragments and the same fragment for ever complete nothing") {
  reassembly r;
  for (std::uint64_t i = 0; i < 100; ++i) {
    CHECK(r.take(hello_fragment(hello, 0, 0, i)).what == verdict::incomplete);
    CHECK(r.take(hello_fragment(hello, 1413, 0, i)).what == verdict::incomplete);
    CHECK(r.take(hello_fragment(hello, 0, 1412, i)).what == verdict::incomplete);
  }
}

TEST_CASE("Whatever is no hello in the clear is left alone") {
  reassembly r;
  CHECK(r.take({}).what == verdict::not_a_hello);
  CHECK(r.take(numbered(5)).what == verdict::not_a_hello);
  base::bytes encrypted = hello_fragment(hello, 0, 100, 0);
  encrypted[4] = 1;  // epoch 1
  CHECK(r.take(encrypted).what == verdict::not_a_hello);
  base::bytes finished = hello_fragment(hello, 0, 100, 0);
  finished[13] = 20;
  CHECK(r.take(finished).what == verdict::not_a_hello);
}

TEST_CASE("Random bytes and random changes of good fragments never break the rules") {
  std::mt19937 random(5);
  reassembly r;
  for (int i = 0; i < 20000; ++i) {
    base::bytes piece = hello_fragment(hello, random() % 1000, random() % 400, random() % 10, random() % 2);
    for (unsigned n = random() % 4; n > 0; --n) piece[random() % 30] = static_cast<std::uint8_t>(random());
    r.take(piece);
    REQUIRE(r.invariant());
  }
}
