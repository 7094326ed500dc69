#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {

sctp::association_config interleaved() {
  sctp::association_config c;
  c.interleaving = true;
  return c;
}

std::map<sctp::chunk_type, int> kinds(const std::vector<base::bytes>& packets) {
  std::map<sctp::chunk_type, int> out;
  for (const auto& p : packets) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks)) ++out[c->type];
  }
  return out;
}

void exchange(wire& w) {
  w.connect();
  inbox at_a(w.at(a)), at_b(w.at(b));
  w.run([](wire& w, inbox& at_a, inbox& at_b) -> async::task<> {
    const auto big = pattern(200'000);
    for (std::uint16_t i = 0; i < 20; ++i) {
      CHECK((co_await w.at(a).send(on_stream(i, i % 2 == 0 ? base::byte_view(big) : base::byte_view(big).first(10))))
                .has_value());
      CHECK((co_await w.at(b).send(on_stream(i, base::byte_view(big).first(1000)))).has_value());
    }
    co_await at_a.count(20);
    co_await at_b.count(20);
    std::size_t large = 0;
    for (const auto& m : at_b.messages) large += m.data == big;
    CHECK(large == 10);
    const sctp::stream_id two(2);
    w.at(a).reset_streams({&two, 1});
    co_await at_b.reset(sctp::association::reset::incoming, 2);
  }(w, at_a, at_b));
}

}  // namespace

// req: 8831-6.1-f
// req: 8260-2.2.1-b
TEST_CASE("two sides that offer interleaving use I-DATA and nothing else, and lose nothing on a bad path") {
  wire w({.latency = 20ms, .loss = 0.05, .duplicate = 0.02, .reorder = 0.05}, interleaved(), interleaved());
  w.keep = true;
  exchange(w);
  for (const auto& packets : w.sent) {
    auto k = kinds(packets);
    CHECK(k[sctp::chunk_type::i_data] > 0);
    CHECK(k[sctp::chunk_type::data] == 0);
  }
}

// req: 8260-2.2.1-a
TEST_CASE("interleaving that only one side offers is not used") {
  wire w({}, interleaved(), {});
  w.keep = true;
  exchange(w);
  for (const auto& packets : w.sent) {
    auto k = kinds(packets);
    CHECK(k[sctp::chunk_type::i_data] == 0);
    CHECK(k[sctp::chunk_type::data] > 0);
  }
}

// req: 8260-2.3.1-a
TEST_CASE("with interleaving, what is given up is told by I-FORWARD-TSN") {
  wire w({}, interleaved(), interleaved());
  w.keep = true;
  w.connect();
  inbox in(w.at(b));
  w.path.loss = 0.3;
  w.run([](wire& w, inbox& in) -> async::task<> {
    const auto data = pattern(3000);
    for (int i = 0; i < 100; ++i) {
      auto m = on_stream(1, data);
      m.reliability = sctp::reliability::max_retransmits(0);
      CHECK((co_await w.at(a).send(m)).has_value());
      co_await async::sleep_for(5ms);
    }
    w.path.loss = 0;
    CHECK((co_await w.at(a).send(on_stream(2, data))).has_value());
    while (in.messages.empty() || in.messages.back().stream.value != 2) co_await in.arrived.wait();
    for (const auto& m : in.messages) CHECK(m.data == data);
  }(w, in));
  auto k = kinds(w.sent[a]);
  CHECK(k[static_cast<sctp::chunk_type>(194)] > 0);
  CHECK(k[sctp::chunk_type::forward_tsn] == 0);
}
