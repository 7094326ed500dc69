#include "ice/check_list.hpp"

#include <doctest/doctest.h>

#include "ice/nomination.hpp"
#include "ice/priority.hpp"
#include "ice/scheduler.hpp"
#include "ice/valid_list.hpp"

using namespace strata;
using namespace strata::ice;
using namespace std::chrono_literals;

namespace {

candidate host(std::string_view address, std::uint16_t preference = 65535, std::string foundation = "1") {
  candidate c;
  c.address = *base::endpoint::parse(address);
  c.base_address = c.address;
  c.priority = candidate_priority(candidate_type::host, preference);
  c.foundation = std::move(foundation);
  return c;
}
candidate reflexive(std::string_view address, std::string_view base_address) {
  auto c = host(address);
  c.type = candidate_type::server_reflexive;
  c.base_address = *base::endpoint::parse(base_address);
  c.priority = candidate_priority(c.type, 65535);
  c.foundation = "s";
  return c;
}

const candidate l1 = host("10.0.0.1:1", 65535, "l1"), l2 = host("10.0.0.2:1", 65000, "l2");
const candidate r1 = host("192.0.2.1:1", 65535, "r1"), r2 = host("192.0.2.2:1", 65000, "r2");

std::string states(const check_list& list) {
  std::string text;
  for (const auto& p : list.pairs()) text += to_string(p.state)[0];
  return text;
}

candidate_pair& nth(check_list& list, std::size_t n) { return *list.find(list.pairs()[n].id); }

}  // namespace

// req: 8445-6.1.2.2-a, 8445-6.1.2.2-b
TEST_CASE("only candidates that can reach each other form pairs") {
  CHECK(can_pair(l1, r1));
  CHECK_FALSE(can_pair(l1, host("[2001:db8::1]:1")));
  CHECK(can_pair(host("[2001:db8::2]:1"), host("[2001:db8::1]:1")));
  CHECK_FALSE(can_pair(host("[2001:db8::2]:1"), host("[fe80::1]:1")));
  CHECK(can_pair(host("[fe80::2]:1"), host("[fe80::1]:1")));
  CHECK_FALSE(can_pair(l1, host("127.0.0.1:1")));
  CHECK(can_pair(host("127.0.0.1:2"), host("127.0.0.1:1")));
  auto other = r1;
  other.component = 2;
  CHECK_FALSE(can_pair(l1, other));
  other = r1;
  other.protocol = transport::tcp;
  CHECK_FALSE(can_pair(l1, other));
  other = r1;
  other.name = "x.local";
  CHECK_FALSE(can_pair(l1, other));
}

// req: 8445-6.1.2.4-a, 8445-6.1.2.4-b
TEST_CASE("a reflexive local candidate adds no pair to those of its base") {
  check_list list(100, true);
  const std::vector local{l1, reflexive("203.0.113.1:9", "10.0.0.1:1")};
  list.form(local, std::vector{r1});
  REQUIRE(list.pairs().size() == 1);
  CHECK(list.pairs()[0].local == l1);
  // req: 8838-10-c, 8838-11-b
  CHECK_FALSE(list.add(local[1], r1));
  CHECK(list.pairs().size() == 1);
}

// req: 8445-6.1.2.6-a
TEST_CASE("at first one pair of each foundation waits, the best, and the rest are frozen") {
  check_list list(100, true);
  auto r3 = host("192.0.2.3:1", 100, "r1");
  list.form(std::vector{l1, l2}, std::vector{r3, r1, r2});
  REQUIRE(list.pairs().size() == 6);
  for (const auto& p : list.pairs()) {
    const bool expected_frozen = p.remote.address == r3.address;  // the same foundation as r1, and worse
    CHECK((p.state == pair_state::frozen) == expected_frozen);
  }
}

// req: 8838-12-a, 8838-12-b, 8838-12-c
TEST_CASE("a trickled pair waits when it is the best of its foundation or its foundation has succeeded") {
  check_list list(100, true);
  CHECK(list.add(l1, r1));
  CHECK(states(list) == "W");
  CHECK(list.add(l1, host("192.0.2.3:1", 100, "r1")));
  CHECK(states(list) == "WF");
  list.set_state(nth(list, 0), pair_state::in_progress);
  list.set_state(nth(list, 0), pair_state::succeeded);
  CHECK(list.add(l1, host("192.0.2.4:1", 50, "r1")));
  CHECK(states(list) == "SFW");
  CHECK(list.add(l1, r2));
  CHECK(states(list) == "SWFW");
}

// req: 8838-10-d
TEST_CASE("of equal pairs the better one stays, unless the other has been checked") {
  check_list list(100, true);
  auto better = r1;
  better.priority += 1;
  CHECK(list.add(l1, r1));
  CHECK_FALSE(list.add(l1, r1));
  CHECK(list.add(l1, better));
  REQUIRE(list.pairs().size() == 1);
  CHECK(list.pairs()[0].remote.priority == better.priority);
  list.set_state(nth(list, 0), pair_state::in_progress);
  better.priority += 1;
  CHECK_FALSE(list.add(l1, better));
  CHECK(states(list) == "I");
}

// req: 8445-6.1.2.5-a, 8445-6.1.2.5-b, 8445-19.5.1-a
TEST_CASE("the list has a limit") {
  std::vector<candidate> local, remote;
  for (int i = 1; i <= 50; ++i) {
    local.push_back(host("10.0.1." + std::to_string(i) + ":1", static_cast<std::uint16_t>(60000 - i), "l" + std::to_string(i)));
    remote.push_back(
        host("192.0.2." + std::to_string(i) + ":1", static_cast<std::uint16_t>(60000 - i), "r" + std::to_string(i)));
  }
  check_list list(100, true);
  list.form(local, remote);
  CHECK(list.pairs().size() == 100);
  check_list none(0, true);
  none.form(local, remote);
  CHECK(none.pairs().empty());
}

// req: 8838-10-e, 8838-10-f, 8838-11-d, 8838-11-e
TEST_CASE("in a full list failed pairs make room first, then worse ones that nobody has checked") {
  check_list list(2, true);
  CHECK(list.add(l1, r1));
  CHECK(list.add(l1, r2));
  list.set_state(nth(list, 0), pair_state::in_progress);
  list.set_state(nth(list, 0), pair_state::failed);
  const auto worst = host("192.0.2.9:1", 1, "r9");
  CHECK(list.add(l1, worst));  // takes the failed one's place
  CHECK(list.pairs()[0].remote.address == r2.address);
  CHECK_FALSE(list.add(l1, host("192.0.2.8:1", 0, "r8")));
  CHECK(list.add(l1, r1));  // better than the worst
  CHECK(list.find(l1.address, worst.address) == nullptr);
  for (std::size_t i = 0; i < 2; ++i) list.set_state(nth(list, i), pair_state::in_progress);
  CHECK_FALSE(list.add(l1, host("192.0.2.7:1", 65535, "r7")));
  CHECK_FALSE(list.add_triggered(l1, host("192.0.2.7:1", 65535, "r7")));
}

// req: 8838-11-c
TEST_CASE("a peer-reflexive candidate that is signaled later keeps its priority") {
  check_list list(100, true);
  auto found = r1;
  found.type = candidate_type::peer_reflexive;
  found.priority = candidate_priority(candidate_type::peer_reflexive, 5);
  found.foundation = "prflx0";
  const auto id = *list.add_triggered(l1, found);
  list.adopt_signaled(r1);
  const auto& p = *list.find(id);
  CHECK(p.remote.type == candidate_type::host);
  CHECK(p.remote.foundation == "r1");
  CHECK(p.remote.priority == found.priority);
}

TEST_CASE("a relay that is signaled after its check was seen is a relay, and no better than one") {
  check_list list(100, true);
  auto found = r1;
  found.type = candidate_type::peer_reflexive;
  found.priority = candidate_priority(candidate_type::peer_reflexive, 5);
  const auto id = *list.add_triggered(l1, found);
  auto relayed = r1;
  relayed.type = candidate_type::relayed;
  relayed.priority = candidate_priority(candidate_type::relayed, 5);
  const auto before = list.find(id)->priority;
  list.adopt_signaled(relayed);
  CHECK(list.find(id)->remote.priority == relayed.priority);
  CHECK(list.find(id)->priority < before);
}

// req: 8445-7.2.5.1-d, 8421-4-d
TEST_CASE("a new role puts the pairs into a new order") {
  check_list list(100, true);
  // G > D adds one: only the role tells these two apart.
  auto a = host("10.0.0.1:1", 10, "a"), b = host("10.0.0.2:1", 20, "b");
  auto x = host("192.0.2.1:1", 20, "x"), y = host("192.0.2.2:1", 10, "y");
  list.form(std::vector{a, b}, std::vector{x, y});
  const auto order = [&] {
    std::string text;
    for (const auto& p : list.pairs()) text += p.local.foundation + p.remote.foundation + ' ';
    return text;
  };
  CHECK(order() == "bx by ax ay ");
  list.set_controlling(false);
  CHECK(order() == "bx ax by ay ");
}

// req: 8445-6.1.4.1-a, 8445-6.1.4.2-a, 8445-6.1.4.2-b
TEST_CASE("triggered checks go first, in their order, then waiting pairs, then frozen ones whose foundation is idle") {
  check_list list(100, true);
  auto r3 = host("192.0.2.3:1", 100, "r1");
  list.form(std::vector{l1}, std::vector{r1, r2, r3});  // r3 is frozen behind r1
  const auto id = [&](const candidate& r) { return list.find(l1.address, r.address)->id; };
  list.trigger(*list.find(id(r2)));
  list.trigger(*list.find(id(r1)));
  list.trigger(*list.find(id(r2)));  // once is enough
  CHECK(list.triggered() == 2);
  const auto take = [&] {
    const auto next = next_check(list);
    REQUIRE(next);
    auto& p = *list.find(next->pair);
    list.set_state(p, pair_state::in_progress);
    return *next;
  };
  auto next = take();
  CHECK(next.pair == id(r2));
  CHECK(next.triggered);
  CHECK(take().pair == id(r1));
  CHECK_FALSE(has_next_check(list));  // r3 waits for r1, which is in progress
  CHECK_FALSE(next_check(list));
  list.set_state(*list.find(id(r1)), pair_state::failed);
  CHECK(has_next_check(list));
  CHECK(take().pair == id(r3));
  CHECK_FALSE(next_check(list));
}

TEST_CASE("a foundation whose check had to be repeated does not hold back the others that share it") {
  check_list list(100, true);
  list.form(std::vector{l1}, std::vector{r1, host("192.0.2.3:1", 100, "r1")});
  list.set_state(nth(list, 0), pair_state::in_progress);
  CHECK_FALSE(has_next_check(list));
  nth(list, 0).doubtful = true;
  CHECK(has_next_check(list));
  CHECK(next_check(list)->pair == list.pairs()[1].id);
}

// req: 8445-7.2.5.3.3-b, 8838-8-c
TEST_CASE("success unfreezes its foundation; an empty list has nothing to do") {
  check_list list(100, true);
  CHECK_FALSE(has_next_check(list));
  CHECK_FALSE(next_check(list));
  list.form(std::vector{l1}, std::vector{r1, host("192.0.2.3:1", 100, "r1"), host("192.0.2.4:1", 50, "r1")});
  CHECK(states(list) == "WFF");
  list.unfreeze(list.pairs()[0].foundation());
  CHECK(states(list) == "WWW");
}

TEST_CASE("a triggered check whose pair has succeeded meanwhile is skipped, unless it nominates") {
  check_list list(100, true);
  list.form(std::vector{l1}, std::vector{r1});
  auto& p = nth(list, 0);
  list.trigger(p);
  list.set_state(p, pair_state::in_progress);
  list.set_state(p, pair_state::succeeded);
  CHECK_FALSE(next_check(list));
  list.trigger(p);
  list.trigger(p, true);
  CHECK(next_check(list)->nominate);
}

// req: 8445-8.1.2-a
TEST_CASE("after the nomination nothing is left to check") {
  check_list list(100, true);
  list.form(std::vector{l1, l2}, std::vector{r1, r2});
  list.set_state(nth(list, 0), pair_state::in_progress);
  list.trigger(nth(list, 2));
  list.remove_unchecked();
  CHECK(states(list) == "I");
  CHECK(list.triggered() == 0);
}

// req: 5245-8.1.1.2-b
TEST_CASE("facing an aggressive peer, better pairs than the nominated one stay") {
  check_list list(100, false);
  list.form(std::vector{l1, l2}, std::vector{r1, r2});
  list.remove_unchecked(list.pairs()[2].priority);
  CHECK(list.pairs().size() == 3);
}

// req: 8445-7.3.1.4-a
TEST_CASE("the state table knows the RFC's changes and no others") {
  using enum pair_state;
  const std::vector<std::pair<pair_state, pair_state>> impossible{
      {frozen, succeeded},  {frozen, failed},         {waiting, frozen}, {waiting, failed},    {succeeded, frozen},
      {succeeded, waiting}, {succeeded, in_progress}, {failed, frozen},  {failed, in_progress}};
  for (const auto from : {frozen, waiting, in_progress, succeeded, failed})
    for (const auto to : {frozen, waiting, in_progress, succeeded, failed}) {
      const bool known =
          std::ranges::find(impossible, std::pair(from, to)) == impossible.end() && !(from == in_progress && to == frozen);
      INFO(to_string(from), " -> ", to_string(to));
      CHECK(may_follow(from, to) == known);
    }
}

namespace {

valid_pair valid_of(const candidate_pair& p, base::instant now) {
  valid_pair v;
  v.checked = p.id;
  v.local = p.local;
  v.remote = p.remote;
  v.priority = p.priority;
  v.confirmed = now;
  v.rtt = 50ms;
  return v;
}

}  // namespace

// req: 8863-4-e, 8863-4-f, 8445-8.1.1-a
TEST_CASE("the controlling side nominates the best at once, and waits a little for what could be better") {
  const auto now = base::instant(1h);
  check_list list(100, true);
  list.form(std::vector{l1}, std::vector{r1, r2});
  valid_list valid;
  CHECK_FALSE(decide_nomination(list, valid, {now, now}).nominate);

  list.set_state(nth(list, 0), pair_state::in_progress);
  list.set_state(nth(list, 1), pair_state::in_progress);
  list.set_state(nth(list, 1), pair_state::succeeded);
  valid.add(valid_of(list.pairs()[1], now));
  const auto wait = decide_nomination(list, valid, {now, now});
  CHECK_FALSE(wait.nominate);
  CHECK(wait.look_again == now + 200ms);
  CHECK(decide_nomination(list, valid, {now + 200ms, now}).nominate == list.pairs()[1].id);
  CHECK(decide_nomination(list, valid, {now, now, true}).nominate == list.pairs()[1].id);  // a lite peer waits for it

  list.set_state(nth(list, 0), pair_state::succeeded);
  valid.add(valid_of(list.pairs()[0], now));
  CHECK(decide_nomination(list, valid, {now, now}).nominate == list.pairs()[0].id);
  CHECK(nomination_patience(1ms) == 100ms);
  CHECK(nomination_patience(10s) == 1s);
}

// req: 8445-8.1.1-c
TEST_CASE("the best nominated pair is selected, without any the best valid one") {
  check_list list(100, false);
  list.form(std::vector{l1}, std::vector{r1, r2, host("192.0.2.3:1", 5, "r3")});
  valid_list valid;
  CHECK(valid.selected() == nullptr);
  const auto now = base::instant(1h);
  for (const auto& p : list.pairs()) valid.add(valid_of(p, now));
  CHECK(valid.selected()->remote.address == r1.address);
  valid.find(l1.address, base::endpoint::parse("192.0.2.3:1").value())->nominated = true;
  CHECK(valid.selected()->remote.priority == candidate_priority(candidate_type::host, 5));
  valid.find(l1.address, r2.address)->nominated = true;
  CHECK(valid.selected()->remote.address == r2.address);
  valid.add(valid_of(*list.find(l1.address, r2.address), now + 1s));
  CHECK(valid.selected()->nominated);  // another success does not take the nomination away
  CHECK(valid.pairs().size() == 3);
  valid.remove(l1.address, r2.address);
  valid.remove_all_of(l1.address);
  CHECK(valid.empty());
}
