// ChannelData, and both kinds of message cut out of a byte stream.
#include <doctest/doctest.h>

#include <random>

#include "stun/channel_data.hpp"
#include "stun/message_writer.hpp"
#include "stun/stream_framer.hpp"

using namespace strata;
using namespace strata::stun;

// req: 8656-12-b
TEST_CASE("the first byte tells ChannelData from STUN, and reserved channel numbers are dropped") {
  for (unsigned first = 0; first < 256; ++first) {
    const base::bytes d{static_cast<std::uint8_t>(first), 1, 0, 0};
    CHECK(is_channel_data(d) == (first >= 64 && first <= 79));
    CHECK(channel_data::parse(d).has_value() == (first >= 64 && first <= 79));
  }
}

// req: 8656-12.6-a
TEST_CASE("a datagram shorter than its length field is dropped; padding is allowed, more is not") {
  base::bytes out;
  REQUIRE(write_channel_data(out, 0x4001, base::as_bytes("hello")));
  CHECK(out.size() == 9);
  CHECK(base::as_text(channel_data::parse(out)->data) == "hello");
  for (std::size_t size = 0; size < out.size(); ++size) CHECK_FALSE(channel_data::parse(base::byte_view(out).first(size)));
  for (int extra = 1; extra <= 3; ++extra) {
    out.push_back(0);
    CHECK(base::as_text(channel_data::parse(out)->data) == "hello");
  }
  out.push_back(0);
  CHECK(channel_data::parse(out).error() == base::error(errc::length_mismatch, 2));
}

TEST_CASE("what cannot be ChannelData is not written") {
  base::bytes out;
  CHECK_FALSE(write_channel_data(out, 0x3fff, {}));
  CHECK_FALSE(write_channel_data(out, 0x5000, {}));
  CHECK_FALSE(write_channel_data(out, 0x4000, base::bytes(65536)));
  CHECK(out.empty());
  CHECK(write_channel_data(out, 0x4fff, base::bytes(65535)));
  CHECK(channel_data::parse(out)->data.size() == 65535);
}

// req: 8656-12.5-a 8489-6.2.2-a
TEST_CASE("messages of both kinds come out of a stream as they went in, however it is cut") {
  base::bytes stream;
  std::vector<base::bytes> sent;
  for (std::size_t n = 0; n < 10; ++n) {
    base::bytes one;
    if (n % 2 == 0) {
      REQUIRE(write_channel_data(one, 0x4000, base::bytes(n, 7)));
      REQUIRE(write_channel_data(stream, 0x4000, base::bytes(n, 7), true));
    } else {
      message_writer(one, {}, {}).add(attribute_type::software, base::bytes(n));
      base::append(stream, one);
    }
    CHECK(stream.size() % 4 == 0);
    sent.push_back(one);
  }
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    stream_framer framer;
    std::vector<base::bytes> got;
    for (std::size_t at = 0; at < stream.size();) {
      const auto size = std::min<std::size_t>(stream.size() - at, round == 0 ? 1 : random() % 40);
      framer.append(base::byte_view(stream).subspan(at, size));
      at += size;
      for (;;) {
        const auto next = framer.next();
        REQUIRE(next);
        if (!*next) break;
        CHECK((*next)->is_channel_data == (got.size() % 2 == 0));
        got.push_back(base::to_bytes((*next)->bytes));
      }
    }
    CHECK(got == sent);
    CHECK(framer.buffered() == 0);
  }
}

TEST_CASE("a stream that carries something else is noticed at once, and where") {
  for (const auto& [text, offset] : {std::pair{"GET / HTTP/1.1\r\n", 0u}, std::pair{"\x16\x03\x01\x02", 2u},
                                     std::pair{"\x16\x03\x01\x20....", 4u}, std::pair{"\xff", 0u}, std::pair{"\x50", 0u}}) {
    stream_framer framer;
    framer.append(base::as_bytes(text));
    const auto next = framer.next();
    // 'G' is 0x47, a channel number: nothing tells HTTP from ChannelData with a length of 0x5420.
    if (text[0] == 'G') {
      REQUIRE(next);
      CHECK_FALSE(*next);
      continue;
    }
    REQUIRE_FALSE(next);
    CHECK(next.error() == base::error(errc::not_stun, offset));
  }
}
