// A cancellation and a completion in the same moment: what was delivered is kept, and the next await unwinds.
#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

struct outcome {
  std::optional<int> value;
  bool went_on = false;
};

// Awaits one thing, notes its value, awaits another.
template <class Make>
task<> receive_then_wait(Make make, outcome& o) {
  o.value = co_await make();
  co_await async::sleep_for(1s);
  o.went_on = true;
}

}  // namespace

TEST_CASE("an item that reached a receiver before its cancellation is not lost") {
  virtual_loop loop;
  async::channel<int> c(1);
  outcome o;
  async::root_task<void> root(loop, "root", receive_then_wait([&]() -> task<int> { co_return *co_await c.receive(); }, o));
  loop.run_ready();
  CHECK(c.try_send(5));   // the receiver has it, and is in the ready queue
  root.request_cancel();  // too late to take it back
  loop.run();
  CHECK(root.done());
  CHECK(o.value == 5);
  CHECK_FALSE(o.went_on);
  CHECK(c.empty());
}

TEST_CASE("an item that arrives after the cancellation goes to the queue") {
  virtual_loop loop;
  async::channel<int> c(1);
  outcome o;
  async::root_task<void> root(loop, "root", receive_then_wait([&]() -> task<int> { co_return *co_await c.receive(); }, o));
  loop.run_ready();
  root.request_cancel();
  CHECK(c.try_send(5));
  loop.run();
  CHECK_FALSE(o.value.has_value());
  CHECK(c.try_receive() == 5);
}

TEST_CASE("a send that was accepted before the cancellation stays sent") {
  virtual_loop loop;
  async::channel<int> c(1);
  CHECK(c.try_send(1));
  outcome o;
  async::root_task<void> root(loop, "root", receive_then_wait([&]() -> task<int> { co_return co_await c.send(2); }, o));
  loop.run_ready();
  CHECK(c.try_receive() == 1);  // makes room: the 2 is in
  root.request_cancel();
  loop.run();
  CHECK(o.value == 1);
  CHECK_FALSE(o.went_on);
  CHECK(c.try_receive() == 2);
}

TEST_CASE("a timer that has gone off and an event that was set complete, in spite of a cancellation behind them") {
  virtual_loop loop;
  async::event e;
  outcome slept, woken;
  async::root_task<void> a(loop, "a",
                           receive_then_wait(
                               []() -> task<int> {
                                 co_await async::sleep_for(1s);
                                 co_return 1;
                               },
                               slept));
  async::root_task<void> b(loop, "b",
                           receive_then_wait(
                               [&]() -> task<int> {
                                 co_await e.wait();
                                 co_return 2;
                               },
                               woken));
  loop.run_ready();
  e.set();
  b.request_cancel();
  loop.run(base::instant(999ms));
  CHECK(woken.value == 2);
  CHECK(b.done());
  // The timer of another fiber, armed earlier, cancels it in the very moment it fires.
  a.request_cancel();
  loop.run();
  CHECK_FALSE(slept.value.has_value());
}

TEST_CASE("an operation may find a value while it is being stopped") {
  virtual_loop loop;
  outcome o;
  async::root_task<void> root(loop, "root",
                              receive_then_wait([]() -> task<int> { co_return co_await slow_to_stop(3s, true); }, o));
  loop.run_ready();
  root.request_cancel();
  loop.run();
  CHECK(o.value == 1);
  CHECK_FALSE(o.went_on);
  CHECK(root.done());
}

TEST_CASE("a timeout in the moment of the value keeps the value") {
  virtual_loop loop;
  const auto exact = []() -> task<int> {
    co_await async::sleep_for(1s);
    co_return 9;
  };
  CHECK(loop.run(async::with_timeout(1s, exact())) == 9);
}
