#include "registry/audit.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "saved.hpp"

using namespace strata;
using namespace strata::registry;

namespace {

constexpr base::wall_time now{std::chrono::milliseconds(1'800'000'000'123)};

audit_event event(int n) {
  return {now + std::chrono::seconds(n), "alice", "192.0.2." + std::to_string(n), "key.revoked",
          "ak_b..., \"quoted\" \xc3\xa4"};
}

saved log_of(int entries) {
  saved s;
  audit_log log;
  for (int n = 1; n <= entries; ++n) s.commit(log.append(event(n)));
  return s;
}

std::vector<store::record> records_of(int entries) { return log_of(entries).table(audit_log::table); }

void check_broken(const std::vector<store::record>& records, std::uint64_t number) {
  const auto verdict = verify(records);
  REQUIRE(verdict.broken);
  CHECK(verdict.broken->number == number);
  CHECK_FALSE(verdict.broken->why.empty());
}

}  // namespace

TEST_CASE("a log is whole, goes on after a new start, and its entries are read back as they were") {
  CHECK(verify({}).whole());
  CHECK(verify({}).head == audit_head{});
  auto s = log_of(3);
  const auto verdict = verify(s.table(audit_log::table));
  CHECK(verdict.whole());
  CHECK(verdict.head.number == 3);
  audit_log again(verdict.head);
  s.commit(again.append(event(4)));
  const auto records = s.table(audit_log::table);
  CHECK(verify(records).whole());
  CHECK(verify(records).head == again.head());
  for (int n = 1; n <= 4; ++n) {
    const auto e = read_audit_entry(records[static_cast<std::size_t>(n - 1)]);
    REQUIRE(e);
    CHECK(e->number == static_cast<std::uint64_t>(n));
    CHECK(e->what == event(n));
  }
}

TEST_CASE("every flipped bit of a log is found, and the first entry that is broken is named") {
  const auto good = records_of(4);
  REQUIRE(good.size() == 5);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (std::size_t octet = 0; octet < good[at].value.size(); ++octet)
      for (int bit = 0; bit < 8; ++bit) {
        auto bad = good;
        bad[at].value[octet] = static_cast<char>(bad[at].value[octet] ^ (1 << bit));
        const auto verdict = verify(bad);
        if (!verdict.broken || (at < 4 && verdict.broken->number != at + 1)) {
          CAPTURE(bad[at].value);
          FAIL_CHECK("not found");
        }
      }
    for (std::size_t octet = 0; octet < good[at].name.size(); ++octet)
      for (int bit = 0; bit < 8; ++bit) {
        auto bad = good;
        bad[at].name[octet] = static_cast<char>(bad[at].name[octet] ^ (1 << bit));
        CHECK_FALSE(verify(bad).whole());
        std::ranges::sort(bad, {}, &store::record::name);  // as a store would give them
        CHECK_FALSE(verify(bad).whole());
      }
  }
}

TEST_CASE("entries that are missing, moved, doubled or cut off are found") {
  const auto good = records_of(5);
  for (std::size_t at = 0; at < 5; ++at) {
    CAPTURE(at);
    auto bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(at));
    check_broken(bad, at + 1);
  }
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = a + 1; b < 5; ++b) {
      auto order = good;
      std::swap(order[a], order[b]);
      check_broken(order, a + 1);
      auto values = good;
      std::swap(values[a].value, values[b].value);
      check_broken(values, a + 1);
    }
  auto doubled = good;
  doubled.insert(doubled.begin() + 2, good[1]);
  check_broken(doubled, 3);
  for (std::ptrdiff_t kept = 0; kept < 5; ++kept) {
    std::vector<store::record> cut(good.begin(), good.begin() + kept);
    cut.push_back(good.back());
    check_broken(cut, static_cast<std::uint64_t>(kept) + 1);
  }
  auto headless = good;
  headless.pop_back();
  check_broken(headless, 0);
  auto old_head = good;
  old_head.back() = records_of(4).back();
  check_broken(old_head, 0);
  auto behind = good;
  behind.push_back({"later", "{}"});
  check_broken(behind, 6);
}

TEST_CASE("an entry of another log does not fit into the chain, though it is whole in itself") {
  const auto good = records_of(3);
  saved other;
  audit_log log;
  for (int n = 1; n <= 3; ++n) other.commit(log.append(event(n + 10)));
  auto bad = good;
  bad[1] = other.table(audit_log::table)[1];
  check_broken(bad, 2);
  // With all that follows and the head it fits no better.
  for (std::size_t at = 1; at < 4; ++at) bad[at] = other.table(audit_log::table)[at];
  check_broken(bad, 2);
}

TEST_CASE("two events whose texts only join alike have different hashes") {
  audit_log a, b;
  (void)a.append({now, "ab", "c", "e", ""});
  (void)b.append({now, "a", "bc", "e", ""});
  CHECK(a.head().hash != b.head().hash);
}

TEST_CASE("what a failed commit did not keep is handed out again, and the chain has no hole") {
  saved s;
  audit_log log;
  s.commit(log.append(event(1)));
  auto lost = log.append(event(2));
  lost.push_back({"keys", "k", "1"});
  const auto in_flight = log.append(event(3));
  log.give_back(lost);
  s.commit(in_flight);
  CHECK_FALSE(verify(s.table(audit_log::table)).whole());
  const auto next = log.append(event(4));
  CHECK(std::ranges::none_of(next, [](const auto& c) { return c.table == "keys"; }));
  s.commit(next);
  const auto verdict = verify(s.table(audit_log::table));
  CHECK(verdict.whole());
  CHECK(verdict.head.number == 4);
}

TEST_CASE("a disk that stays full costs a bounded memory, and the log says how much it did not keep") {
  saved s;
  audit_log log;
  for (std::size_t n = 0; n < audit_log::most_owed + 50; ++n) {
    const auto c = log.append(event(1));
    CHECK(c.size() <= audit_log::most_owed + 1);
    log.give_back(c);
  }
  s.commit(log.append(event(1)));  // pays what is owed, and finds no room itself
  s.commit(log.append(event(2)));
  const auto records = s.table(audit_log::table);
  CHECK(verify(records).whole());
  CHECK(verify(records).head.number == audit_log::most_owed + 2);
  const auto gap = read_audit_entry(records[audit_log::most_owed]);
  REQUIRE(gap);
  CHECK(gap->what.event == "audit.gap");
  CHECK(gap->what.detail == "51 events could not be kept");
}

TEST_CASE("texts that are too long or no UTF-8 are made fit, and the log stays whole") {
  saved s;
  audit_log log;
  const std::string wide = std::string(audit_log::longest_text - 1, 'x') + "\xe2\x82\xac";
  s.commit(log.append({now,
                       "\xff\xfe"
                       "a",
                       std::string(5000, 'y'), "e", wide}));
  const auto records = s.table(audit_log::table);
  CHECK(verify(records).whole());
  const auto e = read_audit_entry(records[0]);
  REQUIRE(e);
  CHECK(e->what.who == "??a");
  CHECK(e->what.address.size() == audit_log::longest_text);
  CHECK(e->what.detail == std::string(audit_log::longest_text - 1, 'x'));
}

TEST_CASE("a secret is shortened to what nobody can use") {
  CHECK(shortened("ak_0123456789abcdef") == "ak_0...");
  CHECK(shortened("eyJhbGciOiJIUzI1NiJ9.e30.abc") == "eyJh...");
  CHECK(shortened("ABC-123") == "A...");
  CHECK(shortened("abc") == "...");
  CHECK(shortened("") == "...");
  CHECK(shortened("\n\n\n\n23456789abcdefgh") == "????...");
}
