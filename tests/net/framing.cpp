// Datagrams in a stream: the rules alone (RFC 4571 §2).
#include <doctest/doctest.h>

#include <vector>

#include "net/rfc4571.hpp"

using namespace strata;

namespace {

std::vector<base::bytes> cut(net::frame_reader& r, base::byte_view stream, std::size_t step) {
  std::vector<base::bytes> all;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    r.append(stream.subspan(at, std::min(step, stream.size() - at)));
    for (;;) {
      const auto f = r.next();
      REQUIRE(f);
      if (!*f) break;
      all.push_back(base::to_bytes(**f));
    }
  }
  return all;
}

}  // namespace

// req: 6544-3-a
TEST_CASE("frames come out as they went in, however the stream is cut") {
  const std::vector<std::size_t> sizes = {1, 0, 20, 1200, 255, 256, 65535, 3};
  std::vector<base::bytes> frames;
  base::bytes stream;
  for (const auto s : sizes) {
    frames.emplace_back(s, static_cast<std::uint8_t>(s * 3 + 1));
    CHECK(net::append_frame(stream, frames.back()));
  }
  CHECK(stream[0] == 0);
  CHECK(stream[1] == 1);
  for (const std::size_t step : {1u, 2u, 3u, 7u, 1000u, 70000u, 200000u}) {
    net::frame_reader r;
    CHECK(cut(r, stream, step) == frames);
    CHECK(r.buffered() == 0);
  }
}

TEST_CASE("a payload that no length can say is not framed") {
  base::bytes out;
  CHECK_FALSE(net::append_frame(out, base::bytes(65536)));
  CHECK(out.empty());
}

// req: 6544-12-a
TEST_CASE("a frame that is announced too large is an error at its place, before a single octet of it is kept") {
  net::frame_reader r(100);
  base::bytes stream;
  net::append_frame(stream, base::bytes(100, 1));
  net::append_frame(stream, base::bytes(101, 2));
  r.append(base::byte_view(stream).first(104));
  CHECK((*r.next())->size() == 100);
  const auto bad = r.next();
  REQUIRE_FALSE(bad);
  CHECK(bad.error() == base::errc::too_large);
  CHECK(bad.error().offset == 102);
}

// req: 6544-12-a
TEST_CASE("a peer that drips a large frame makes us hold that frame and no more") {
  net::frame_reader r;
  base::bytes stream;
  net::append_frame(stream, base::bytes(65535, 7));
  std::size_t most = 0;
  for (int round = 0; round < 3; ++round)
    for (const auto octet : stream) {
      r.append({&octet, 1});
      most = std::max(most, r.buffered());
      REQUIRE(r.next());
    }
  CHECK(most == 65537);
}
