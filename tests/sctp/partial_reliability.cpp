#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {

// Sends numbered messages over a path that loses a third of them.
std::vector<int> survivors(sctp::reliability r, bool ordered, wire& w, int count = 200) {
  w.connect();
  inbox in(w.at(b));
  w.path.loss = 0.3;
  w.run([](wire& w, inbox& in, sctp::reliability r, bool ordered, int count) -> async::task<> {
    for (int i = 0; i < count; ++i) {
      const auto text = std::to_string(i);
      auto m = on_stream(1, base::as_bytes(text));
      m.reliability = r;
      m.ordered = ordered;
      CHECK((co_await w.at(a).send(m)).has_value());
      co_await async::sleep_for(7ms);
    }
    w.path.loss = 0;
    CHECK((co_await w.at(a).send(on_stream(2, base::as_bytes("end")))).has_value());
    co_await w.at(a).drained(sctp::stream_id(1));
    while (in.messages.empty() ||
           std::none_of(in.messages.begin(), in.messages.end(), [](const auto& m) { return m.stream.value == 2; }))
      co_await in.arrived.wait();
    co_await async::sleep_for(2s);
  }(w, in, r, ordered, count));
  std::vector<int> out;
  for (const auto& m : in.messages)
    if (m.stream.value == 1) out.push_back(std::stoi(std::string(base::as_text(m.data))));
  CHECK(w.at(a).buffered_bytes() == 0);
  return out;
}

bool forwards(const std::vector<base::bytes>& packets) {
  for (const auto& p : packets) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks))
      if (c->type == sctp::chunk_type::forward_tsn) return true;
  }
  return false;
}

}  // namespace

// req: 8831-6.1-b
// req: 8831-6.1-e
// req: 3758-3.5-a
// req: 3758-3.6-a
TEST_CASE("messages that may not be retransmitted are lost when the path loses them, and hold up nobody") {
  for (const bool ordered : {true, false}) {
    wire w;
    w.keep = true;
    const auto got = survivors(sctp::reliability::max_retransmits(0), ordered, w);
    CHECK(got.size() > 100);
    CHECK(got.size() < 180);
    if (ordered) CHECK(std::is_sorted(got.begin(), got.end()));
    CHECK(forwards(w.sent[a]));
  }
}

TEST_CASE("a few retransmissions save most messages") {
  wire w;
  const auto got = survivors(sctp::reliability::max_retransmits(2), true, w);
  CHECK(got.size() > 185);
  CHECK(got.size() <= 200);
}

TEST_CASE("messages that outlive their lifetime are given up") {
  wire w;
  w.keep = true;
  const auto got = survivors(sctp::reliability::max_lifetime(30), true, w);
  CHECK(got.size() < 190);
  CHECK(std::is_sorted(got.begin(), got.end()));
  CHECK(forwards(w.sent[a]));
}

TEST_CASE("a long lifetime behaves like full reliability on a path that recovers in time") {
  wire w;
  const auto got = survivors(sctp::reliability::max_lifetime(60'000), true, w);
  CHECK(got.size() == 200);
}

TEST_CASE("reliable messages all survive beside unreliable ones") {
  wire w;
  const auto got = survivors(sctp::reliability::reliable(), false, w);
  CHECK(got.size() == 200);
}

TEST_CASE("a long message that is given up in the middle leaves no part of it behind") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  w.run([](wire& w, inbox& in) -> async::task<> {
    auto m = on_stream(1, pattern(200'000));
    const auto big = pattern(200'000);
    m.data = big;
    m.reliability = sctp::reliability::max_retransmits(0);
    w.path.loss = 0.2;
    for (int i = 0; i < 10; ++i) CHECK((co_await w.at(a).send(m)).has_value());
    co_await w.at(a).drained(sctp::stream_id(1));
    w.path.loss = 0;
    const auto last = pattern(77, 3);
    CHECK((co_await w.at(a).send(on_stream(1, last))).has_value());
    while (in.messages.empty() || in.messages.back().data.size() != 77) co_await in.arrived.wait();
    CHECK(in.messages.back().data == last);
    for (const auto& got : in.messages) CHECK((got.data.size() == 77 || got.data == big));
  }(w, in));
}

// req: 3758-3.6-b
TEST_CASE("an old FORWARD-TSN changes nothing") {
  wire w;
  w.keep = true;
  const auto got = survivors(sctp::reliability::max_retransmits(0), true, w);
  std::vector<base::bytes> old;
  for (const auto& p : w.sent[a])
    if (forwards({p})) old.push_back(p);
  REQUIRE(old.size() > 3);
  inbox in(w.at(b));
  for (const auto& p : old) w.inject(b, p);
  w.settle(2s);
  CHECK(in.messages.empty());
  CHECK(w.at(a).try_send(on_stream(1, base::as_bytes("on"))).has_value());
  w.run(in.count(1));
}

// req: 3758-3.3.1-a
TEST_CASE("a peer that does not know partial reliability gets everything, reliably") {
  wire w;
  w.keep = true;
  // b's INIT and INIT ACK arrive with the Forward-TSN-Supported parameter renamed to one that everybody skips.
  w.pass = [&w](side from, std::size_t, base::byte_view packet) {
    auto chunks = sctp::chunks_of(packet);
    const auto c = sctp::take_chunk(chunks);
    if (from != b || !c || (c->type != sctp::chunk_type::init && c->type != sctp::chunk_type::init_ack)) return true;
    auto changed = base::to_bytes(packet);
    const base::bytes supported = {0xc0, 0x00, 0x00, 0x04};
    const auto at = std::search(changed.begin(), changed.end(), supported.begin(), supported.end());
    REQUIRE(at != changed.end());
    *at = 0xbf;
    // Neither the chunk types of PR in Supported Extensions may speak for it.
    for (auto i = changed.begin() + 32; i != changed.end(); ++i)
      if (*i == 0xc0 || *i == 0xc2) *i = 0x82;
    sctp::write_checksum(changed);
    w.inject(a, changed, 10ms);
    return false;
  };
  const auto got = survivors(sctp::reliability::max_retransmits(0), true, w);
  CHECK(got.size() == 200);
  CHECK_FALSE(forwards(w.sent[a]));
}
