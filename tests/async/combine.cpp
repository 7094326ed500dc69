#include <stdexcept>

#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

template <class T>
task<T> after(base::duration d, T value) {
  co_await async::sleep_for(d);
  co_return value;
}
task<> nothing_after(base::duration d) { co_await async::sleep_for(d); }
task<int> fail_after(base::duration d) {
  co_await async::sleep_for(d);
  throw std::runtime_error("failed");
}

}  // namespace

TEST_CASE("first_of gives the value of whoever returns first and stops the others") {
  virtual_loop loop;
  auto [slow, quick, none] = loop.run([]() -> task<async::first<int, std::string, void>> {
    co_return co_await async::first_of(after(3s, 1), after(1s, std::string("quick")), nothing_after(2s));
  }());
  CHECK_FALSE(slow.has_value());
  CHECK(quick == "quick");
  CHECK_FALSE(none.has_value());
  CHECK(loop.now() == base::instant(1s));
}

TEST_CASE("first_of waits for a loser that needs time to stop") {
  virtual_loop loop;
  const auto stubborn = []() -> task<int> {
    co_await slow_to_stop(5s);
    co_return 1;
  };
  const auto shielded = [](bool& cleaned) -> task<int> {
    co_await async::shielded([](bool& cleaned) -> task<> {
      co_await async::sleep_for(10s);
      cleaned = true;
    }(cleaned));
    co_await async::yield();
    co_await async::yield();
    co_return 2;
  };
  bool cleaned = false;
  auto [a, b, c] = loop.run([](auto stubborn, auto shielded, bool& cleaned) -> task<async::first<int, int, int>> {
    co_return co_await async::first_of(after(1s, 7), stubborn(), shielded(cleaned));
  }(stubborn, shielded, cleaned));
  CHECK(a == 7);
  CHECK_FALSE(b.has_value());
  CHECK_FALSE(c.has_value());
  CHECK(cleaned);
  CHECK(loop.now() == base::instant(10s));
}

TEST_CASE("first_of keeps the value of a loser that had delivered before it could be stopped") {
  virtual_loop loop;
  async::channel<int> left(1), right(1);
  const auto receive = [](async::channel<int>& c) -> task<int> { co_return *co_await c.receive(); };
  auto [a, b] = loop.run([](auto receive, auto& left, auto& right) -> task<async::first<int, int>> {
    left.try_send(1);
    right.try_send(2);
    co_return co_await async::first_of(receive(left), receive(right));
  }(receive, left, right));
  CHECK(a == 1);
  // Either the right one was received, then it is here, or it was not, then it is still in the channel.
  CHECK((b == 2) != (right.size() == 1));
}

TEST_CASE("first_of rethrows when a branch fails, after the others have ended") {
  virtual_loop loop;
  journal log;
  const auto other = [](journal& log) -> task<> {
    on_exit_note n(log, "other ended");
    co_await async::sleep_for(1h);
  };
  CHECK_THROWS_WITH(
      loop.run([](auto other, journal& log) -> task<> { co_await async::first_of(fail_after(1s), other(log)); }(other, log)),
      "failed");
  CHECK(log == journal{"other ended"});
}

TEST_CASE("all_of gives every value; one that fails ends the others") {
  virtual_loop loop;
  auto [a, b, c] = loop.run([]() -> task<std::tuple<int, std::string, std::monostate>> {
    co_return co_await async::all_of(after(3s, 1), after(1s, std::string("b")), nothing_after(2s));
  }());
  CHECK(a == 1);
  CHECK(b == "b");
  CHECK(loop.now() == base::instant(3s));
  CHECK_THROWS_WITH(loop.run([]() -> task<> { co_await async::all_of(nothing_after(1h), fail_after(1s)); }()), "failed");
  CHECK(loop.now() == base::instant(4s));
}

TEST_CASE("move-only values pass through tasks and combinators") {
  virtual_loop loop;
  const auto make = []() -> task<std::unique_ptr<int>> {
    co_await async::yield();
    co_return std::make_unique<int>(4);
  };
  auto value = loop.run([](auto make) -> task<std::unique_ptr<int>> {
    auto [a, b] = co_await async::all_of(make(), make());
    auto [c] = co_await async::first_of(make());
    *a += *b + **c;
    auto d = co_await async::with_timeout(1s, make());
    *a += **d;
    co_return std::move(a);
  }(make));
  CHECK(*value == 16);
}

TEST_CASE("with_timeout gives nothing, or timed_out, when the time is over, and the task has ended by then") {
  virtual_loop loop;
  journal log;
  const auto slow = [](journal& log) -> task<int> {
    on_exit_note n(log, "ended");
    co_await async::sleep_for(1h);
    co_return 1;
  };
  const auto slow_result = []() -> task<base::result<int>> {
    co_await async::sleep_for(1h);
    co_return 1;
  };
  const auto failing = []() -> task<base::result<int>> {
    co_await async::sleep_for(1s);
    co_return base::fail(base::errc::refused);
  };
  loop.run([](auto slow, auto slow_result, auto failing, journal& log) -> task<> {
    const auto nothing = co_await async::with_timeout(1s, slow(log));
    CHECK_FALSE(nothing.has_value());
    CHECK(log == journal{"ended"});
    const auto late = co_await async::with_timeout(1s, slow_result());
    CHECK(late.error() == base::errc::timed_out);
    const auto refused = co_await async::with_timeout(2s, failing());
    CHECK(refused.error() == base::errc::refused);
    const auto done = co_await async::with_timeout(2s, nothing_after(1s));
    CHECK(done.has_value());
    const auto at_once = co_await async::with_timeout(0s, slow(log));
    CHECK_FALSE(at_once.has_value());
  }(slow, slow_result, failing, log));
  CHECK(loop.next_deadline() == base::never);
}
