#include "mesh/frame.hpp"

#include <doctest/doctest.h>

#include <ostream>

#include "base/hex.hpp"
#include "sim/generator.hpp"

using namespace strata;
using namespace strata::mesh;

namespace {

base::bytes octets(std::string_view hex) { return *base::from_hex(hex); }

// A frame of any valid content; the piece is borrowed from `store`.
frame any_frame(sim::generator& g, base::bytes& store) {
  const auto below = [&g](std::uint64_t n) { return g.next() % n; };
  switch (below(4)) {
    case 0: {
      data_frame f;
      f.durable = g.chance(0.5);
      f.binary = g.chance(0.5);
      f.how = static_cast<urgency>(below(3));
      g.fill(f.id.octets);
      f.epoch = g.next();
      f.stream = static_cast<std::uint32_t>(g.next());
      f.sequence = below(sequence_limit);
      f.floor = f.sequence - below(std::min<std::uint64_t>(f.sequence + 1, 1000));
      f.milliseconds_left = static_cast<std::uint32_t>(g.next());
      f.total = static_cast<std::uint32_t>(below(g.chance(0.5) ? 2000 : largest_delivery + 1));
      const auto size = g.chance(0.5) && f.total < 4000 ? f.total : std::min<std::uint32_t>(f.total, smallest_piece);
      f.offset =
          g.chance(0.5) || size < smallest_piece ? f.total - size : static_cast<std::uint32_t>(below(f.total - size + 1));
      store.resize(size);
      g.fill(store);
      f.piece = store;
      return f;
    }
    case 1: {
      ack_frame f{g.next(), g.next(), static_cast<std::uint32_t>(g.next()), static_cast<std::uint32_t>(g.next()), {}};
      std::uint32_t stream = 0;
      for (auto n = below(4); n > 0; --n) {
        stream_ack s;
        s.stream = stream += 1 + static_cast<std::uint32_t>(below(100));
        s.from = below(sequence_limit - (std::uint64_t{1} << 40));
        s.settled = s.from + below(1000);
        auto at = s.settled + below(2);
        for (auto k = below(4); k > 0; --k) {
          s.whole.push_back({at, 1 + below(50)});
          at = s.whole.back().end() + 1 + below(70'000);
        }
        for (auto q = s.from; q < s.settled && s.others.size() < 5; q += 1 + below(300))
          s.others.push_back({q, static_cast<fate>(1 + below(3)), std::string(below(longest_reason + 1), 'x')});
        f.streams.push_back(s);
      }
      return f;
    }
    case 2: {
      const auto first = below(sequence_limit - (std::uint64_t{1} << 33));
      return cancel_frame{
          g.next(), static_cast<std::uint32_t>(g.next()), below(sequence_limit), {first, 1 + below(0xffffffff)}};
    }
    default: return hello_frame{g.next(), g.next(), static_cast<std::uint32_t>(g.next())};
  }
}

constexpr std::string_view small_data =
    "01010301"
    "000102030405060708090a0b0c0d0e0f"
    "1111111111111111"
    "00000007"
    "0000000000000005"
    "0000000000000003"
    "000003e8"
    "00000002"
    "00000000"
    "6869";

}  // namespace

TEST_CASE("a data frame is written as the diagram says") {
  data_frame f;
  f.durable = f.binary = true;
  for (std::uint8_t i = 0; i < 16; ++i) f.id.octets[i] = i;
  f.epoch = 0x1111111111111111;
  f.stream = 7;
  f.sequence = 5;
  f.floor = 3;
  f.milliseconds_left = 1000;
  f.total = 2;
  f.piece = base::as_bytes("hi");
  CHECK(encode(f) == octets(small_data));
}

TEST_CASE("what is written is read, and what is read is written the same") {
  sim::generator g(7);
  for (int i = 0; i < 2000; ++i) {
    base::bytes store;
    const auto f = any_frame(g, store);
    const auto wire = encode(f);
    const auto again = decode(wire);
    REQUIRE(again);
    REQUIRE(again->index() == f.index());
    REQUIRE(encode(*again) == wire);
    if (const auto* a = std::get_if<ack_frame>(&f)) {
      REQUIRE(*a == std::get<ack_frame>(*again));
      auto size = ack_header;
      for (const auto& s : a->streams) size += encoded_size(s);
      REQUIRE(size == wire.size());
    }
  }
}

TEST_CASE("a frame that is cut short is no frame") {
  const std::vector<base::bytes> whole = {octets(small_data),
                                          encode(ack_frame{1, 2, 3, 4, {{5, 6, 8, {{9, 1}}, {{7, fate::refused, "no"}}}}}),
                                          encode(cancel_frame{1, 2, 3, {4, 5}}), encode(hello_frame{1, 2, 3})};
  for (const auto& w : whole)
    for (std::size_t n = 0; n < w.size(); ++n) CHECK(!decode(base::byte_view(w).first(n)));
  for (auto w : whole) {
    w.push_back(0);
    CHECK(!decode(w));
  }
}

TEST_CASE("every field out of its bounds is refused, and named") {
  const auto data = [](std::size_t at, std::string_view hex) {
    auto o = octets(small_data);
    const auto with = octets(hex);
    std::copy(with.begin(), with.end(), o.begin() + static_cast<std::ptrdiff_t>(at));
    return o;
  };
  const std::pair<base::bytes, frame_errc> table[] = {
      {{}, frame_errc::truncated},
      {octets("01"), frame_errc::truncated},
      {data(0, "00"), frame_errc::unknown_version},
      {data(0, "02"), frame_errc::unknown_version},
      {data(1, "00"), frame_errc::unknown_kind},
      {data(1, "05"), frame_errc::unknown_kind},
      {data(2, "04"), frame_errc::bad_flags},
      {data(3, "03"), frame_errc::bad_flags},
      {data(32, "4000000000000000"), frame_errc::bad_sequence},
      {data(32, "ffffffffffffffff"), frame_errc::bad_sequence},
      {data(40, "0000000000000006"), frame_errc::bad_sequence},  // a floor above the sequence
      {data(52, "01000001"), frame_errc::bad_piece},             // more than 16 MiB
      {data(52, "00000001"), frame_errc::bad_piece},             // more octets than the message has
      {data(56, "00000001"), frame_errc::bad_piece},             // behind the end
      {data(56, "fffffffe"), frame_errc::bad_piece},             // a sum that wraps
      {data(52, "00000003"), frame_errc::bad_piece},             // too small, and not the last
      {octets("04040001"), frame_errc::unknown_version},
      {octets("010400010000000000000000000000000000000000000000"), frame_errc::bad_flags},
      // Cancels: no sequence; beyond the limit.
      {octets("01030000000000000000000000000001000000000000000000000000000000000000"
              "0000"),
       frame_errc::bad_order},
      {octets("0103000000000000000000000000000100000000000000003fffffffffffffff00000002"), frame_errc::bad_sequence},
      // Acks: streams not ascending, touching ranges, an empty range, a fate twice, "delivered" as an exception, not UTF-8.
      {octets("01020002 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000000 0000 0000 00000001 0000000000000000 00000000 0000 0000"),
       frame_errc::bad_order},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000000 0002 0000 00000001 00000001 00000000 00000001"),
       frame_errc::bad_order},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000000 0001 0000 00000001 00000000"),
       frame_errc::bad_order},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000002 0000 0002 00000001 01 00 00000001 01 00"),
       frame_errc::bad_order},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000002 0000 0001 00000002 01 00"),
       frame_errc::bad_order},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000002 0000 0001 00000001 00 00"),
       frame_errc::bad_fate},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 0000000000000000 00000002 0000 0001 00000001 01 01 ff"),
       frame_errc::bad_fate},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 3fffffffffffffff 00000002 0000 0000"),
       frame_errc::bad_sequence},
      {octets("01020001 0000000000000000 0000000000000000 00000000 00000000"
              "00000001 3fffffffffffffff 00000000 0001 0000 00000000 00000002"),
       frame_errc::bad_sequence},
  };
  for (const auto& [wire, why] : table) {
    const auto f = decode(wire);
    CAPTURE(base::to_hex(wire));
    REQUIRE(!f);
    CHECK(f.error().code == make_error_code(why));
    CHECK(!f.error().message().empty());
  }
}

TEST_CASE("an empty message is one empty piece") {
  data_frame f;
  const auto wire = encode(f);
  CHECK(wire.size() == data_header);
  CHECK(decode(wire));
}

TEST_CASE("bundles carry frames through texts") {
  const std::vector<base::bytes> frames = {encode(hello_frame{1, 2, 3}), octets(small_data),
                                           encode(cancel_frame{1, 2, 3, {4, 5}})};
  const auto text = bundle(frames);
  const auto again = unbundle(text);
  REQUIRE(again);
  CHECK(*again == frames);
  CHECK(unbundle("")->empty());
  CHECK(!unbundle("no base64!"));
  CHECK(!unbundle("AAAA"));      // a frame of no octets
  CHECK(!unbundle("AAACAQ=="));  // fewer octets than said
  CHECK(!unbundle("AAA="));      // half a length
}
