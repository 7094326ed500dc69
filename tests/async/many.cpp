#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

constexpr int children = 10'000;
constexpr int depth = 1'000'000;

task<> count_after(int n, int& sum) {
  co_await async::sleep_for(std::chrono::milliseconds(n % 100));
  co_await async::yield();
  ++sum;
}
task<> for_ever(int& ended) {
  struct at_exit {
    int& ended;
    ~at_exit() { ++ended; }
  } guard{ended};
  co_await async::sleep_for(24h);
}

task<int> descend(int levels) {
  if (levels == 0) co_return 0;
  const int below = co_await descend(levels - 1);
  co_return below + 1;
}
task<> descend_and_wait(int levels) {
  if (levels == 0) co_await async::sleep_for(24h);
  else co_await descend_and_wait(levels - 1);
}
task<int> at_once(int n) { co_return n; }

}  // namespace

TEST_CASE("ten thousand children run, and ten thousand end together") {
  virtual_loop loop;
  int sum = 0, ended = 0;
  const auto body = [&]() -> task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> task<> {
      for (int i = 0; i < children; ++i) s.spawn("child", count_after, i, std::ref(sum));
      co_return;
    });
    CHECK(sum == children);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> task<> {
      for (int i = 0; i < children; ++i) s.spawn("child", for_ever, std::ref(ended));
      co_await async::sleep_for(1s);
    });
  };
  loop.run(body());
  CHECK(ended == children);
  CHECK(loop.next_deadline() == base::never);
}

TEST_CASE("a million nested awaits need no stack, and neither does unwinding them") {
  virtual_loop loop;
  CHECK(loop.run(descend(depth)) == depth);
  async::root_task<void> root(loop, "root", descend_and_wait(depth));
  loop.run_ready();
  CHECK(loop.task_tree().size() < 2000);  // the dump stays readable
  root.request_cancel();
  loop.run();
  CHECK(root.done());
}

TEST_CASE("a million tasks that return at once in a loop need no stack") {
  virtual_loop loop;
  CHECK(loop.run([]() -> task<std::int64_t> {
    std::int64_t sum = 0;
    for (int i = 0; i < depth; ++i) sum += co_await at_once(i);
    co_return sum;
  }()) == std::int64_t{depth} * (depth - 1) / 2);
}
