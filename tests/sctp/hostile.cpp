#include "pair.hpp"

using namespace strata;
using namespace strata::test;

// req: 8831-5-f
TEST_CASE("garbage is counted, answered by nothing, and the association goes on") {
  wire w;
  w.keep = true;
  w.connect();
  w.keep = false;
  const auto real = w.sent[a];
  std::mt19937_64 chance(5);
  const auto sent_before = w.counts[b];
  std::size_t given = 0;
  for (std::size_t size = 0; size < 64; ++size) {
    base::bytes noise(size);
    for (auto& octet : noise) octet = static_cast<std::uint8_t>(chance());
    w.at(b).receive(noise);
    ++given;
  }
  for (const auto& packet : real)
    for (std::size_t i = 0; i < packet.size(); ++i) {
      auto damaged = packet;
      damaged[i] ^= static_cast<std::uint8_t>(1u << i % 8);
      w.at(b).receive(damaged);
      w.at(b).receive(base::byte_view(packet).first(i));
      given += 2;
    }
  w.settle(1s);
  CHECK(w.at(b).stats().dropped == given);
  CHECK(w.counts[b] == sent_before);
  inbox in(w.at(b));
  CHECK(w.at(a).try_send(on_stream(0, pattern(5000))).has_value());
  w.run(in.count(1));
}

TEST_CASE("packets with a right checksum and wrong contents do no harm") {
  wire w;
  w.keep = true;
  w.connect();
  inbox in(w.at(b));
  CHECK(w.at(a).try_send(on_stream(0, pattern(5000))).has_value());
  w.run(in.count(1));
  w.keep = false;
  const auto real = w.sent[a];
  std::mt19937_64 chance(6);
  for (int round = 0; round < 3000; ++round) {
    auto packet = real[chance() % real.size()];
    // The ports stay, the verification tag sometimes: without it nothing may reach the association.
    const std::size_t from = round % 2 == 0 ? 4 : 12;
    for (int n = 0; n < 4; ++n) packet[from + chance() % (packet.size() - from)] = static_cast<std::uint8_t>(chance());
    if (round % 5 == 0) packet.resize(16 + chance() % (packet.size() - 15));
    sctp::write_checksum(packet);
    w.at(b).receive(packet);
  }
  w.settle(60s);
  // Those with the right tag are the peer's word and may end the association, but never more than that.
  const bool up = w.at(b).current_state() == sctp::state::established;
  MESSAGE("after 3000 forged packets: " << w.at(b).reason());
  CHECK((up || w.at(b).current_state() == sctp::state::closed));
}

TEST_CASE("packets before connect are kept within a bound") {
  wire w;
  w.keep = true;
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  w.run([](wire& w) -> async::task<> { (void)co_await async::with_timeout(100ms, w.at(a).connect()); }(w));
  REQUIRE_FALSE(w.sent[a].empty());
  for (int i = 0; i < 100; ++i) w.at(b).receive(w.sent[a][0]);
  CHECK(w.at(b).stats().dropped == 84);
  CHECK(w.traces[b].drops.back() == "too many packets before connect");
}
