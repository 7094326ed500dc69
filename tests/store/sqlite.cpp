#include "store/sqlite.hpp"

#include "lab.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace strata::test;

TEST_CASE("what is committed is there when the store is opened again, ordered by name, with every octet") {
  const folder f;
  net::asio_host h;
  const std::string odd("\0\xff'\"\n", 5);
  {
    auto s = store::open_sqlite(h, f.file(), {.tables = {"keys", "tasks"}});
    REQUIRE(s);
    CHECK(shown(**s, "keys").empty());
    REQUIRE(commit(h, **s, {{"keys", "b", "2"}, {"keys", "a", "1"}, {"keys", "B", ""}, {"tasks", odd, odd}}));
    REQUIRE(commit(h, **s, {{"keys", "b", std::nullopt}, {"keys", "a", "3"}, {"keys", "nobody", std::nullopt}}));
    CHECK(shown(**s, "keys") == "B=;a=3;");
  }
  auto s = store::open_sqlite(h, f.file(), {.tables = {"keys", "tasks"}});
  REQUIRE(s);
  CHECK(shown(**s, "keys") == "B=;a=3;");
  CHECK(shown(**s, "tasks") == odd + "=" + odd + ";");
}

TEST_CASE("the folder of a store and all files in it are the owner's alone, also when they were not") {
  const folder f;
  net::asio_host h;
  const auto old = ::umask(0);
  auto s = store::open_sqlite(h, f.file(), {.tables = {"t"}});
  REQUIRE(s);
  REQUIRE(commit(h, **s, {{"t", "a", "1"}}));
  CHECK(mode_of(f.path + "/state") == 0700);
  for (const auto* end : {"", "-wal", "-shm", ".lock"}) {
    CAPTURE(end);
    CHECK(mode_of(f.file() + end) == 0600);
  }
  s->reset();
  ::chmod(f.file().c_str(), 0644);
  s = store::open_sqlite(h, f.file(), {.tables = {"t"}});
  REQUIRE(s);
  CHECK(mode_of(f.file()) == 0600);
  CHECK(mode_of(f.file() + "-wal") == 0600);
  ::umask(old);
}

TEST_CASE("a table that is not in the schema is refused, and nothing of that commit is kept") {
  net::asio_host h;
  auto s = store::open_sqlite(h, ":memory:", {.tables = {"t"}});
  REQUIRE(s);
  const auto refused = commit(h, **s, {{"t", "a", "1"}, {"other", "b", "2"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == store::errc::no_table);
  CHECK(shown(**s, "t").empty());
  CHECK((*s)->load("sqlite_schema").error() == store::errc::no_table);
  for (const auto* name : {"", "A", "1t", "t;", "t\"", "sqlite_t", "t-u"}) {
    CAPTURE(name);
    CHECK(store::open_sqlite(h, ":memory:", {.tables = {name}}).error() == base::errc::invalid);
  }
}

TEST_CASE("commits take effect in the order in which they were begun, many of them in one flush") {
  const folder f;
  net::asio_host h;
  auto s = store::open_sqlite(h, f.file(), {.tables = {"t"}});
  REQUIRE(s);
  h.run([](store::engine& e) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (int i = 0; i < 500; ++i)
        s.spawn("commit", [&e, i]() -> async::task<> {
          const auto text = std::to_string(i);
          const auto done = co_await e.commit({{"t", "last", text}, {"t", "n" + text, text}});
          CHECK(done.has_value());
        });
      co_return;
    });
  }(**s));
  CHECK((*s)->load("t")->size() == 501);
  CHECK((*s)->load("t")->front().value == "499");
}

TEST_CASE("a commit that was called is kept although who awaited it was cancelled, or never did") {
  const folder f;
  net::asio_host h;
  {
    auto s = store::open_sqlite(h, f.file(), {.tables = {"t"}});
    REQUIRE(s);
    h.run([](store::engine& e) -> async::task<> {
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
        s.spawn("cancelled", [&]() -> async::task<> { (void)co_await e.commit({{"t", "a", "1"}}); });
        co_await async::yield();
      });
      {
        auto never = e.commit({{"t", "b", "2"}});
      }
    }(**s));
    CHECK(shown(**s, "t") == "a=1;");
  }
  auto s = store::open_sqlite(h, f.file(), {.tables = {"t"}});
  REQUIRE(s);
  CHECK(shown(**s, "t") == "a=1;b=2;");
}

TEST_CASE("what waits for the disk is bounded, and what is beyond is told so") {
  net::asio_host h;
  auto s = store::open_sqlite(h, ":memory:", {.tables = {"t"}}, {.waiting_bytes = 10'000});
  REQUIRE(s);
  auto first = (*s)->commit({{"t", "a", std::string(9'000, 'x')}});
  auto second = (*s)->commit({{"t", "b", std::string(9'000, 'x')}});
  CHECK(h.run(std::move(second)).error() == base::errc::would_block);
  CHECK(h.run(std::move(first)).has_value());
  CHECK(commit(h, **s, {{"t", "c", std::string(9'000, 'x')}}).has_value());
  CHECK((*s)->load("t")->size() == 2);
}

TEST_CASE("a store in memory works in the simulator") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto s = store::open_sqlite(a, ":memory:", {.tables = {"t"}});
  REQUIRE(s);
  net.run([](store::engine& e) -> async::task<> {
    CHECK((co_await e.commit({{"t", "a", "1"}})).has_value());
    CHECK(shown(e, "t") == "a=1;");
  }(**s));
}
