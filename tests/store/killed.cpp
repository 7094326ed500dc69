#include <fcntl.h>
#include <signal.h>

#include <random>

#include "lab.hpp"

using namespace strata;
using namespace strata::test;

namespace {

const store::schema two_tables{.tables = {"left", "right"}};
constexpr int writers = 8;

// Commits pairs for ever, one record in each table, and writes the name of a pair to the pipe when it was acknowledged.
int commit_until_killed(const std::string& path, int round, int acknowledged) {
  net::asio_host h;
  auto s = store::open_sqlite(h, path, two_tables);
  if (!s) return 1;
  h.run([](store::engine& e, int round, int out) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (int writer = 0; writer < writers; ++writer)
        s.spawn("writer", [&e, round, out, writer]() -> async::task<> {
          for (std::uint32_t n = 0;; ++n) {
            char name[13];
            std::snprintf(name, sizeof name, "%03d-%01d-%06u", round % 1000, writer % 10, n % 1'000'000);
            const std::string value(std::size_t{n % 50} * 40, 'v');
            if (!co_await e.commit({{"left", name, value}, {"right", name, value}})) ::_exit(2);
            if (::write(out, name, 12) != 12) ::_exit(3);
          }
        });
      co_return;
    });
  }(**s, round, acknowledged));
  return 0;
}

bool has(const std::vector<store::record>& all, const std::string& name) {
  const auto at = std::lower_bound(all.begin(), all.end(), name, [](const auto& r, const auto& n) { return r.name < n; });
  return at != all.end() && at->name == name;
}

}  // namespace

TEST_CASE("after SIGKILL at any moment every acknowledged commit is there, whole, and those of each writer in order") {
  const folder f;
  std::mt19937 chance(4);
  std::vector<std::string> promised;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      ::_exit(commit_until_killed(f.file(), round, ends[1]));
    }
    ::close(ends[1]);
    const auto enough = chance() % 60;
    char name[12];
    std::size_t seen = 0;
    const auto take = [&] {
      if (::read(ends[0], name, sizeof name) != static_cast<ssize_t>(sizeof name)) return false;
      promised.emplace_back(name, sizeof name);
      ++seen;
      return true;
    };
    while (seen <= enough && take()) {
    }
    ::kill(child, SIGKILL);
    while (take()) {
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    net::asio_host h;
    auto s = store::open_sqlite(h, f.file(), two_tables);
    REQUIRE(s);
    const auto left = (*s)->load("left"), right = (*s)->load("right");
    REQUIRE(left);
    REQUIRE(right);
    std::size_t missing = 0, halves = left->size() == right->size() ? 0 : 1, gaps = 0;
    for (const auto& p : promised) missing += has(*left, p) ? 0 : 1;
    for (std::size_t i = 0; i < std::min(left->size(), right->size()); ++i) {
      const auto &l = (*left)[i], &r = (*right)[i];
      if (l.name != r.name || l.value != r.value) ++halves;
      // A writer begins a commit when the one before has been acknowledged.
      const auto n = std::stoul(l.name.substr(6));
      char before[13];
      std::snprintf(before, sizeof before, "%s%06lu", l.name.substr(0, 6).c_str(), n == 0 ? 0 : n - 1);
      if (n != 0 && !has(*left, before)) ++gaps;
    }
    CHECK(missing == 0);
    CHECK(halves == 0);
    CHECK(gaps == 0);
  }
  CHECK(promised.size() > 100);
}
