#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "dtls/record.hpp"
#include "dtls/retransmission.hpp"
#include "wire.hpp"

using namespace strata;
using test::side;
using namespace std::chrono_literals;

namespace {

using arrivals = std::vector<test::wire::arrival>;

// How many datagrams each side sends in an undisturbed handshake with this MTU.
std::size_t datagrams(side s, dtls::config c) {
  test::wire w;
  w.build(c, c);
  w.handshake();
  return static_cast<std::size_t>(std::count_if(w.log.begin(), w.log.end(), [s](auto& d) { return d.from == s; }));
}

void check_both_talk(test::wire& w) {
  CHECK(w.client().send(base::as_bytes("a")));
  CHECK(w.server().send(base::as_bytes("b")));
  w.settle();
  REQUIRE(w.received(side::server).size() == 1);
  REQUIRE(w.received(side::client).size() == 1);
  CHECK(w.received(side::server)[0] == base::to_bytes("a"));
  CHECK(w.received(side::client)[0] == base::to_bytes("b"));
}

}  // namespace

// req: 6347-4.2.4-a
TEST_CASE("Whichever single datagram of the handshake is lost, the handshake succeeds by retransmission") {
  for (std::uint16_t mtu : {1200, 300})
    for (bool cookie : {false, true})
      for (side victim : {side::client, side::server}) {
        const dtls::config c{.mtu = mtu, .cookie_exchange = cookie, .client_id = base::to_bytes("peer")};
        const std::size_t count = datagrams(victim, c);
        REQUIRE(count >= 2);
        for (std::size_t lost = 0; lost < count; ++lost) {
          CAPTURE(mtu);
          CAPTURE(cookie);
          CAPTURE(static_cast<int>(victim));
          CAPTURE(lost);
          test::wire w;
          w.build(c, c);
          w.tamper = [&](side from, std::size_t n, const base::bytes& d) {
            return from == victim && n == lost ? arrivals{} : arrivals{{d}};
          };
          const auto [client, server] = w.handshake();
          CHECK(client);
          CHECK(server);
          check_both_talk(w);
        }
      }
}

// req: 6347-4.2.2-a
TEST_CASE("Datagrams that arrive twice, or after the next one, change nothing") {
  for (side victim : {side::client, side::server})
    for (std::size_t which = 0; which < 6; ++which)
      for (base::duration late : {0ms, 30ms, 500ms}) {
        CAPTURE(static_cast<int>(victim));
        CAPTURE(which);
        test::wire twice;
        const dtls::config c{.mtu = 300};
        twice.build(c, c);
        twice.tamper = [&](side from, std::size_t n, const base::bytes& d) {
          return from == victim && n == which ? arrivals{{d}, {d, late}} : arrivals{{d}};
        };
        const auto [client, server] = twice.handshake();
        CHECK(client);
        CHECK(server);
        check_both_talk(twice);

        test::wire delayed;
        delayed.build(c, c);
        delayed.tamper = [&](side from, std::size_t n, const base::bytes& d) {
          return from == victim && n == which ? arrivals{{d, late}} : arrivals{{d}};
        };
        const auto [other_client, other_server] = delayed.handshake();
        CHECK(other_client);
        CHECK(other_server);
        check_both_talk(delayed);
      }
}

TEST_CASE("Handshakes over wires that lose, repeat and delay at random succeed, seed by seed") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    test::wire w(seed);
    const dtls::config c{.mtu = static_cast<std::uint16_t>(seed % 2 == 0 ? 1200 : 400),
                         .cookie_exchange = seed % 3 == 0,
                         .client_id = base::to_bytes("peer"),
                         .initial_timeout = 200ms,
                         .handshake_limit = 600s};
    w.build(c, c);
    w.tamper = [&](side, std::size_t, const base::bytes& d) {
      arrivals out;
      if (random() % 4 != 0) out.push_back({d, std::chrono::milliseconds(random() % 60)});
      if (random() % 4 == 0) out.push_back({d, std::chrono::milliseconds(random() % 300)});
      return out;
    };
    const auto [client, server] = w.handshake();
    CHECK(client);
    CHECK(server);
    w.tamper = nullptr;
    w.settle();  // a last flight that was lost at the end
    CHECK(w.client().send(base::as_bytes("through")));
    w.settle();
    CHECK(w.received(side::server).size() == 1);
  }
}

// req: 6347-4.2.4.1-a
TEST_CASE("An unanswered hello is repeated after 1, 2, 4 … seconds and given up after the longest pause") {
  test::wire w;
  w.build({.longest_timeout = 8s, .handshake_limit = 100s}, {});
  w.tamper = [](side, std::size_t, const base::bytes&) { return arrivals{}; };
  const auto outcome = w.run(w.client().handshake());
  CHECK(outcome.error() == make_error_code(dtls::errc::timed_out));
  std::vector<base::duration> at;
  for (const auto& d : w.log) at.push_back(d.at.time_since_epoch());
  CHECK(at == std::vector<base::duration>{0s, 1s, 3s, 7s});
  CHECK(w.loop.now().time_since_epoch() == 15s);
  CHECK(w.client().current_state() == dtls::state::failed);
}

TEST_CASE("The first pause follows the configuration, and the whole handshake has a limit of its own") {
  test::wire w;
  w.build({.initial_timeout = 150ms, .handshake_limit = 2s}, {.handshake_limit = 5s});
  w.tamper = [](side, std::size_t, const base::bytes&) { return arrivals{}; };
  const auto [client, server] = w.handshake();
  CHECK(client.error() == make_error_code(dtls::errc::timed_out));
  CHECK(server.error() == make_error_code(dtls::errc::timed_out));
  REQUIRE(w.log.size() >= 3);
  CHECK(w.log[1].at.time_since_epoch() == 150ms);
  CHECK(w.log[2].at.time_since_epoch() == 450ms);
  CHECK(w.loop.now().time_since_epoch() == 5s);
}

TEST_CASE("The first pause is twice the round trip, between a tenth of a second and one second") {
  CHECK(dtls::initial_timeout(std::nullopt) == 1s);
  CHECK(dtls::initial_timeout(1ms) == 100ms);
  CHECK(dtls::initial_timeout(100ms) == 200ms);
  CHECK(dtls::initial_timeout(3s) == 1s);
}

// req: 6347-4.1.1.1-a
TEST_CASE("A flight that is lost twice goes out in smaller datagrams, and gets through a path of 600 bytes") {
  test::wire w;
  w.build();
  w.tamper = [](side, std::size_t, const base::bytes& d) { return d.size() > 600 ? arrivals{} : arrivals{{d}}; };
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server);
  CHECK(std::any_of(w.log.begin(), w.log.end(), [](auto& d) { return d.data.size() > 600; }));
}

// req: 6347-4.2.4-b
TEST_CASE("Application data that overtakes the Finished is not handed up before it, and not lost to the association") {
  test::wire w;
  w.build();
  bool slow_finished = true;
  w.tamper = [&](side from, std::size_t n, const base::bytes& d) {
    return from == side::client && n == 1 && slow_finished ? arrivals{{d, 400ms}} : arrivals{{d}};
  };
  std::size_t early = 0;
  w.server().on_data = [&](base::byte_view) {
    CHECK(w.server().current_state() == dtls::state::established);
    ++early;
  };
  // Encrypted records for the next epoch, from nowhere: they can be kept or dropped, never handed up.
  base::bytes forged(60, 0x33);
  const std::uint8_t header[] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 47};
  std::copy(std::begin(header), std::end(header), forged.begin());
  w.inject(side::server, forged, 50ms);
  w.inject(side::server, forged, 60ms);
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server);
  CHECK(early == 0);
  CHECK(w.client().send(base::as_bytes("now")));
  w.settle();
  CHECK(early == 1);
}

// req: 6347-4.2.4-a
TEST_CASE("The last flight is repeated for a peer that missed it") {
  test::wire w;
  w.build({.initial_timeout = 300ms}, {});
  std::size_t lost = 0;
  w.tamper = [&](side from, std::size_t n, const base::bytes& d) {
    if (from == side::server && n >= 1 && lost < 2) {  // the flight with the server's Finished, twice
      ++lost;
      return arrivals{};
    }
    return arrivals{{d}};
  };
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server);
  CHECK(lost == 2);
  // The second repetition comes in smaller datagrams; the one without the Finished asks for nothing.
  CHECK(w.server().stats().datagrams_discarded <= 1);
}
