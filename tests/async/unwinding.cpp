#include <stdexcept>

#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

task<> nested(journal& log, int depth) {
  on_exit_note a(log, std::to_string(depth) + "a");
  on_exit_note b(log, std::to_string(depth) + "b");
  if (depth == 0) co_await async::sleep_for(1h);
  else co_await nested(log, depth - 1);
}

}  // namespace

TEST_CASE("unwinding destroys what each coroutine made, from the innermost out, the youngest first") {
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", nested(log, 2));
  loop.run_ready();
  root.request_cancel();
  loop.run();
  CHECK(log == journal{"0b", "0a", "1b", "1a", "2b", "2a"});
}

TEST_CASE("no handler of exceptions sees a cancellation") {
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", [](journal& log) -> task<> {
    try {
      co_await async::sleep_for(1h);
    } catch (...) {
      log.push_back("caught");
    }
    log.push_back("went on");
  }(log));
  loop.run_ready();
  root.request_cancel();
  loop.run();
  CHECK(root.done());
  CHECK(log.empty());
}

TEST_CASE("a destructor may wake, send and cancel others while it unwinds") {
  virtual_loop loop;
  async::event e;
  async::channel<int> c(1);
  async::root_task<void> waiting(loop, "waiting", [](async::event& e) -> task<> { co_await e.wait(); }(e));
  async::root_task<int> receiving(loop, "receiving", [](auto& c) -> task<int> { co_return *co_await c.receive(); }(c));
  async::root_task<void> other(loop, "other", []() -> task<> { co_await async::sleep_for(1h); }());
  struct busy_end {
    async::event& e;
    async::channel<int>& c;
    async::root_task<void>& other;
    ~busy_end() {
      e.set();
      c.try_send(3);
      other.request_cancel();
    }
  };
  async::root_task<void> root(loop, "root", [](auto& e, auto& c, auto& other) -> task<> {
    busy_end b{e, c, other};
    co_await async::sleep_for(1h);
  }(e, c, other));
  loop.run_ready();
  root.request_cancel();
  loop.run();
  CHECK(waiting.returned());
  CHECK(receiving.take() == 3);
  CHECK(other.done());
  CHECK(loop.now() == base::instant());
}

TEST_CASE("exceptions pass through awaits, and a task that is thrown away frees what it was given") {
  virtual_loop loop;
  const auto inner = []() -> task<int> {
    co_await async::yield();
    throw std::out_of_range("inner");
  };
  const auto outer = [](auto inner) -> task<std::string> {
    try {
      const int value = co_await inner();
      co_return std::to_string(value);
    } catch (const std::out_of_range& e) {
      co_return std::string("caught ") + e.what();
    }
  };
  CHECK(loop.run(outer(inner)) == "caught inner");
  auto kept = std::make_shared<int>(1);
  {
    const auto never_awaited = [](std::shared_ptr<int> p) -> task<> {
      (void)p;
      co_return;
    };
    auto t = never_awaited(kept);
    CHECK(kept.use_count() == 2);
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE("a leaf whose start throws lets the await throw, and the fiber goes on") {
  struct broken final : async::leaf {
    void await_resume() const noexcept {}
    void start() override { throw std::runtime_error("cannot begin"); }
    void request_cancel() noexcept override {}
    [[nodiscard]] std::string_view what() const noexcept override { return "broken"; }
  };
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", [](journal& log) -> task<> {
    try {
      co_await broken();
    } catch (const std::runtime_error& e) {
      log.push_back(e.what());
    }
    co_await async::sleep_for(1h);
  }(log));
  loop.run_ready();
  CHECK(log == journal{"cannot begin"});
  root.request_cancel();
  loop.run();
  CHECK(root.done());
}
