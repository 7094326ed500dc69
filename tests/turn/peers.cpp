// Permissions and channels as a table over time.
#include "turn/peers.hpp"

#include <doctest/doctest.h>

#include <set>

#include "stun/channel_data.hpp"
#include "turn/error.hpp"
#include "turn/server_info.hpp"

using namespace strata;
using namespace strata::turn;
using namespace std::chrono_literals;

namespace {

const base::instant start(1h);
base::endpoint peer(unsigned n) {
  return {base::ip_address::v4(203, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)), 4000};
}

// Enough traffic for a channel; its number once it is asked for.
std::optional<std::uint16_t> earn_channel(peer_table& t, const base::endpoint& p, base::instant now) {
  for (unsigned i = 0; i < peer_table::packets_before_channel; ++i) (void)t.route(p, now);
  for (const auto& due : t.permissions_due(now)) t.granted(due, now);
  const auto b = t.channel_due(now);
  if (!b || b->peer != p) return std::nullopt;
  t.bound(b->channel, now);
  return b->channel;
}

}  // namespace

// req: 8656-9-a
TEST_CASE("a permission is asked for again before its five minutes are over, for as long as it is used") {
  peer_table t;
  auto now = start;
  REQUIRE(t.want(peer(1).address, now));
  CHECK(t.permissions_due(now) == std::vector{peer(1).address});
  CHECK(t.permissions_due(now).empty());  // it is under way
  t.granted(peer(1).address, now);
  auto granted = now;
  for (int i = 0; i < 1000; ++i) {
    now = t.next_due(now);
    CHECK(now < granted + permission_lifetime);
    CHECK(t.permitted(peer(1).address, now));
    (void)t.want(peer(1).address, now);
    REQUIRE(t.permissions_due(now).size() == 1);
    t.granted(peer(1).address, granted = now);
  }
  now += peer_table::idle;
  CHECK(t.permissions_due(now).empty());
  CHECK(t.permissions() == 0);
  CHECK(t.next_due(now) == base::never);
}

// req: 8656-12-d 8656-12.1-b
TEST_CASE("a channel is bound again before its ten minutes are over, and its permission more often") {
  peer_table t;
  const auto number = earn_channel(t, peer(1), start);
  REQUIRE(number);
  auto bound = start, granted = start;
  for (auto now = start; now < start + 3h; now += 10s) {
    CHECK(t.route(peer(1), now) == number);
    for (const auto& p : t.permissions_due(now)) t.granted(p, granted = now);
    if (const auto b = t.channel_due(now)) {
      CHECK(b->again);
      CHECK(b->channel == *number);
      t.bound(b->channel, bound = granted = now);
    }
    CHECK(now - bound < channel_lifetime);
    CHECK(now - granted < permission_lifetime);
  }
}

// req: 8656-12-a 8656-12-c 8656-12-e
TEST_CASE("a number belongs to one peer, and rests five minutes before it serves another") {
  peer_table t;
  std::set<std::uint16_t> numbers;
  for (unsigned i = 0; i < peer_table::most_channels; ++i) {
    const auto n = earn_channel(t, peer(i), start);
    REQUIRE(n);
    CHECK(*n >= 0x4000);
    CHECK(*n <= 0x4fff);
    CHECK(numbers.insert(*n).second);
    CHECK_FALSE(earn_channel(t, peer(i), start));  // it has one
  }
  CHECK_FALSE(earn_channel(t, peer(100), start));  // no more than that
  const auto over = start + channel_lifetime;
  CHECK_FALSE(earn_channel(t, peer(100), over));
  CHECK_FALSE(earn_channel(t, peer(1), over + 1min));  // the peer rests as well as the number
  CHECK_FALSE(earn_channel(t, peer(100), over + channel_rest - 1s));
  CHECK(earn_channel(t, peer(100), over + channel_rest + 1s));
}

TEST_CASE("a refusal is remembered for a while, other trouble is over soon, and the table has an end") {
  peer_table t;
  (void)t.want(peer(1).address, start);
  (void)t.permissions_due(start);
  t.failed(peer(1).address, start, true);
  CHECK(t.refused(peer(1).address, start + 1min));
  CHECK(t.permissions_due(start + 1min).empty());
  CHECK(t.permissions_due(start + 2min).size() == 1);
  t.failed(peer(1).address, start + 2min, false);
  CHECK_FALSE(t.refused(peer(1).address, start + 2min));
  CHECK(t.permissions_due(start + 2min + 5s).size() == 1);
  for (unsigned i = 2; i < 1000; ++i) (void)t.want(peer(i).address, start + 3min);
  CHECK(t.permissions() == peer_table::most_permissions);
  CHECK_FALSE(t.want(peer(2000).address, start + 3min));
  t.granted(peer(3000).address, start);  // answers about nobody
  t.bound(0x4abc, start);
  t.bind_failed(0x4abc, start);
  CHECK(t.channels() == 0);
}

// req: 8656-4.1-a 8656-5-g
TEST_CASE("the address of a server says its transport and port") {
  struct row {
    const char *uri, *name;
  };
  for (const auto& r : {row{"turn:relay.example", "turn:relay.example:3478?transport=udp"},
                        row{"turn:relay.example?transport=tcp", "turn:relay.example:3478?transport=tcp"},
                        row{"turns:relay.example", "turns:relay.example:5349?transport=tcp"},
                        row{"turns:relay.example:443", "turns:relay.example:443?transport=tcp"},
                        row{"turn:[2001:db8::1]:443", "turn:[2001:db8::1]:443?transport=udp"}}) {
    CAPTURE(r.uri);
    const auto s = server_from_uri(r.uri, "u", "p");
    REQUIRE(s);
    CHECK(s->name() == r.name);
  }
  CHECK(server_from_uri("stun:relay.example", "", "").error() == make_error_code(errc::not_turn));
  for (const char* bad : {"", "turn", "turn:", "turn:host:99999", "turn:host?transport=sctp", "http://host", "turn:ho st"}) {
    CAPTURE(bad);
    CHECK_FALSE(server_from_uri(bad, "", ""));
  }
}
