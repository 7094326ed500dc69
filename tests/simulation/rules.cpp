// The rules that a run is judged by: each is broken here, and says so.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "simulation/ledger.hpp"
#include "simulation/plan.hpp"
#include "simulation/shrink.hpp"
#include "simulation/wire_rules.hpp"

using namespace strata;
using namespace std::chrono_literals;
using simulation::ledger;

namespace {

const base::endpoint ours{*base::ip_address::parse("192.0.2.1"), 1000}, theirs{*base::ip_address::parse("192.0.2.2"), 2000},
    enemy{*base::ip_address::parse("203.0.113.66"), 3000};

struct wire {
  simulation::wire_rules rules;
  base::instant now{1h};
  wire() { rules.unproved(enemy.address); }
  void see(sim::packet_event::moment what, const base::endpoint& from, const base::endpoint& to, std::size_t size,
           std::uint8_t first) {
    const sim::packet p{sim::protocol::udp, from, to, base::bytes(size, first), {}};
    rules.saw({what, now, p});
  }
  void sent(const base::endpoint& from, const base::endpoint& to, std::size_t size, std::uint8_t first) {
    see(sim::packet_event::moment::sent, from, to, size, first);
  }
  void delivered(const base::endpoint& from, const base::endpoint& to, std::size_t size = 20, std::uint8_t first = 0) {
    see(sim::packet_event::moment::delivered, from, to, size, first);
  }
};
constexpr std::uint8_t stun = 0, dtls = 22;

}  // namespace

TEST_CASE("messages that arrive once, whole and in order break no rule, and leave nothing open") {
  ledger l;
  for (std::size_t n = 0; n < 3; ++n) CHECK(l.sent(0, 1) == n);
  CHECK(l.sent(1, 0) == 0);
  for (std::size_t n = 0; n < 3; ++n) l.arrived(0, 1, n, true);
  CHECK_FALSE(l.settled());
  l.reported(1, 0, 0);
  CHECK(l.settled());
  CHECK(l.broken().empty());
}

TEST_CASE("a message that arrives twice is noticed") {
  ledger l;
  l.sent(0, 1);
  l.arrived(0, 1, 0, true);
  l.arrived(0, 1, 0, true);
  CHECK(l.broken() == "message 0 from ada to grace arrived twice");
}

TEST_CASE("a message that overtakes another is noticed") {
  ledger l;
  l.sent(0, 1);
  l.sent(0, 1);
  l.arrived(0, 1, 1, true);
  l.arrived(0, 1, 0, true);
  CHECK(l.broken() == "message 0 from ada to grace arrived after message 1");
}

TEST_CASE("a message with other contents is noticed, and one that nobody sent") {
  ledger l;
  l.sent(0, 1);
  l.arrived(0, 1, 0, false);
  CHECK(l.broken() == "message 0 from ada to grace is not what was sent");
  ledger other;
  other.arrived(0, 1, 0, true);
  CHECK(other.broken() == "message 0 from ada to grace arrived and was never sent");
}

TEST_CASE("a message that neither arrives nor is reported stays open") {
  ledger l;
  l.sent(0, 1);
  l.sent(0, 1);
  l.arrived(0, 1, 1, true);
  CHECK(l.outstanding() == std::vector<std::string>{"message 0 from ada to grace"});
}

TEST_CASE("the death of a sidecar excuses what was on its way to it, the end of the local connection what came from it") {
  ledger l;
  l.sent(0, 1);
  l.sent(1, 0);
  l.sidecar_died(1);
  CHECK(l.outstanding() == std::vector<std::string>{"message 0 from grace to ada"});
  l.connection_ended(1);
  CHECK(l.settled());
  l.sent(0, 1);
  CHECK_FALSE(l.settled());
}

TEST_CASE("1.6 octets for each that came is what an unproved address gets, and not one more") {
  wire w;
  w.delivered(enemy, ours, 20);
  w.sent(ours, enemy, 32, stun);
  CHECK(w.rules.broken().empty());
  w.sent(ours, enemy, 1, stun);
  CHECK_FALSE(w.rules.broken().empty());
}

TEST_CASE("nothing but STUN goes to an unproved address") {
  wire w;
  w.delivered(enemy, ours, 100);
  w.sent(ours, enemy, 20, dtls);
  CHECK_FALSE(w.rules.broken().empty());
}

TEST_CASE("data goes only where a packet has come from within thirty seconds") {
  wire never;
  never.sent(ours, theirs, 50, stun);
  CHECK(never.rules.broken().empty());
  never.sent(ours, theirs, 50, dtls);
  CHECK_FALSE(never.rules.broken().empty());

  wire late;
  late.delivered(theirs, ours);
  late.now += 30s;
  late.sent(ours, theirs, 50, dtls);
  CHECK(late.rules.broken().empty());
  late.now += 1s;
  late.sent(ours, theirs, 50, dtls);
  CHECK_FALSE(late.rules.broken().empty());
}

TEST_CASE("a plan is a function of its seed, and seeds differ") {
  CHECK(describe(simulation::random_plan(5)) == describe(simulation::random_plan(5)));
  CHECK(describe(simulation::random_plan(5)) != describe(simulation::random_plan(6)));
}

TEST_CASE("random plans draw every kind of fault, and all of them end") {
  std::set<simulation::fault_kind> kinds;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto p = simulation::random_plan(seed);
    CHECK(p.peers >= 2);
    CHECK(p.peers <= simulation::most_peers);
    for (const auto& f : p.faults) {
      kinds.insert(f.what);
      CHECK(f.a < p.peers);
      CHECK(f.b < p.peers);
      CHECK(f.a != f.b);
      CHECK(f.at + f.lasts <= p.healed_at());
    }
  }
  CHECK(kinds.size() == simulation::fault_kinds);
}

TEST_CASE("a failing list shrinks to what is needed, wherever it stands") {
  for (const auto& needed : {std::vector<int>{}, std::vector<int>{3}, std::vector<int>{0, 15}, std::vector<int>{7, 8, 9}}) {
    std::vector<int> list(16);
    for (int i = 0; i < 16; ++i) list[static_cast<std::size_t>(i)] = i;
    const auto fails = [&](const std::vector<int>& l) {
      return std::ranges::all_of(needed, [&](int n) { return std::ranges::find(l, n) != l.end(); });
    };
    CHECK(simulation::shrink(list, fails) == needed);
  }
}

TEST_CASE("a list that fails only as a whole stays whole, and trials are bounded") {
  const std::vector<int> list{1, 2, 3, 4, 5};
  std::size_t trials = 0;
  const auto fails = [&](const std::vector<int>& l) {
    ++trials;
    return l.size() == 5;
  };
  CHECK(simulation::shrink(list, fails, 7) == list);
  CHECK(trials == 7);
}
