#include <stdexcept>

#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

task<> say_goodbye(journal& log) {
  co_await async::sleep_for(2s);
  log.push_back("goodbye");
}
task<int> work(base::duration d, bool fails = false) {
  co_await async::sleep_for(d);
  if (fails) throw std::runtime_error("work");
  co_return 3;
}

}  // namespace

TEST_CASE("the clean-up runs after the work, whether it returned or threw") {
  virtual_loop loop;
  journal log;
  const auto body = [&](bool fails) -> task<int> {
    co_return co_await async::finally(work(1s, fails), [&] { return say_goodbye(log); });
  };
  CHECK(loop.run(body(false)) == 3);
  CHECK(log == journal{"goodbye"});
  CHECK(loop.now() == base::instant(3s));
  CHECK_THROWS_WITH(loop.run(body(true)), "work");
  CHECK(log.size() == 2);
}

TEST_CASE("the clean-up runs to its end when the work is cancelled, and then the cancellation goes on") {
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", [](journal& log) -> task<> {
    on_exit_note n(log, "unwound");
    co_await async::finally(work(1h), [&] { return say_goodbye(log); });
    log.push_back("went on");
  }(log));
  loop.run_for(1s);
  root.request_cancel();
  loop.run_for(1s);
  CHECK_FALSE(root.done());
  root.request_cancel();  // an impatient second one changes nothing
  loop.run();
  CHECK(root.done());
  CHECK(log == journal{"goodbye", "unwound"});
}

TEST_CASE("a clean-up that throws is heard, unless the work threw first") {
  virtual_loop loop;
  const auto body = [](bool fails) -> task<int> {
    co_return co_await async::finally(work(1s, fails), []() -> task<> {
      co_await async::yield();
      throw std::runtime_error("clean-up");
    });
  };
  CHECK_THROWS_WITH(loop.run(body(false)), "clean-up");
  CHECK_THROWS_WITH(loop.run(body(true)), "work");
}
