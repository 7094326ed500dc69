// Cancelling a fiber that is suspended, in every primitive there is: the destructors run, in order, what comes after
// the await never runs, and nothing stays behind in lists, heaps and queues.
#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

template <class Body>
void cancelled_inside(Body body) {
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", [](journal& log, Body& body) -> task<> {
    on_exit_note outer(log, "outer");
    on_exit_note inner(log, "inner");
    co_await body();
    log.push_back("went on");
  }(log, body));
  loop.run_ready();
  REQUIRE_FALSE(root.done());
  root.request_cancel();
  root.request_cancel();  // a second request changes nothing
  loop.run();
  CHECK(root.done());
  CHECK_FALSE(root.returned());
  CHECK(log == journal{"inner", "outer"});
  CHECK(loop.next_deadline() == base::never);
}

task<> for_ever() { co_await async::sleep_for(24h); }
task<> wait_for(async::event& e) { co_await e.wait(); }

}  // namespace

TEST_CASE("cancelled in a sleep") {
  cancelled_inside([]() -> task<> { co_await async::sleep_for(1h); });
  cancelled_inside([]() -> task<> { co_await async::sleep_until(base::never); });
}

TEST_CASE("cancelled in an event, which then serves the others") {
  async::event e;
  cancelled_inside([&]() -> task<> { co_await e.wait(); });
  virtual_loop loop;
  async::root_task<void> other(loop, "other", wait_for(e));
  loop.run_ready();
  e.set();
  loop.run();
  CHECK(other.returned());
}

TEST_CASE("cancelled in a channel's send: the item was never sent") {
  async::channel<int> c(1);
  CHECK(c.try_send(1));
  cancelled_inside([&]() -> task<> { co_await c.send(2); });
  CHECK(c.try_receive() == 1);
  CHECK(c.empty());
}

TEST_CASE("cancelled in a channel's receive: the next item goes to the next receiver") {
  async::channel<int> c(1);
  cancelled_inside([&]() -> task<> { co_await c.receive(); });
  CHECK(c.try_send(1));
  CHECK(c.try_receive() == 1);
}

TEST_CASE("cancelled in a child task, and in a chain of them") {
  cancelled_inside([]() -> task<> { co_await for_ever(); });
  cancelled_inside([]() -> task<> {
    const auto outer = []() -> task<> { co_await []() -> task<> { co_await for_ever(); }(); };
    co_await outer();
  });
}

TEST_CASE("cancelled in first_of and all_of: the branches end first") {
  cancelled_inside([]() -> task<> { co_await async::first_of(for_ever(), for_ever()); });
  cancelled_inside([]() -> task<> { co_await async::all_of(for_ever(), for_ever()); });
}

TEST_CASE("cancelled in all_of after a branch has returned: there is no value to give, so it unwinds") {
  cancelled_inside([]() -> task<> {
    const auto at_once = []() -> task<int> { co_return 1; };
    co_await async::all_of(at_once(), for_ever());
  });
}

TEST_CASE("cancelled in a shielded task: it runs to its end, then the cancellation acts") {
  bool cleaned = false;
  cancelled_inside([&]() -> task<> {
    co_await async::shielded([](bool& cleaned) -> task<> {
      co_await async::sleep_for(1s);
      cleaned = true;
    }(cleaned));
    co_await async::sleep_for(1h);
  });
  CHECK(cleaned);
}

TEST_CASE("cancelled in a scope, in its body and while it joins") {
  for (const auto policy : {async::at_end::join, async::at_end::cancel}) {
    journal ends;
    const auto child = [](journal& ends) -> task<> {
      on_exit_note n(ends, "child");
      co_await for_ever();
    };
    cancelled_inside([&]() -> task<> {
      co_await async::with_scope(policy, [&](async::scope& s) -> task<> {
        s.spawn("child", child, std::ref(ends));
        s.spawn("child", child, std::ref(ends));
        on_exit_note n(ends, "body");
        co_await for_ever();
      });
    });
    CHECK(ends.size() == 3);
  }
  cancelled_inside([]() -> task<> {
    co_await async::with_scope(async::at_end::join, [](async::scope& s) -> task<> {
      s.spawn("child", for_ever);
      co_return;
    });
    co_await for_ever();
  });
}

TEST_CASE("cancelled in with_timeout, in either form") {
  cancelled_inside([]() -> task<> { co_await async::with_timeout(1h, for_ever()); });
  cancelled_inside([]() -> task<> {
    co_await async::with_timeout(1h, []() -> task<base::result<int>> {
      co_await for_ever();
      co_return 1;
    }());
  });
}

TEST_CASE("cancelled inside many things at once") {
  async::channel<int> c(1);
  async::event e;
  cancelled_inside([&]() -> task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> task<> {
      s.spawn("receiver", [&]() -> task<> { co_await c.receive(); });
      s.spawn("racer", [&]() -> task<> { co_await async::first_of(for_ever(), wait_for(e)); });
      co_await async::all_of(wait_for(e),
                             [](async::event& e) -> task<> { co_await async::with_timeout(1min, wait_for(e)); }(e));
    });
  });
}

TEST_CASE("cancelled before it was ever resumed: it does not begin") {
  virtual_loop loop;
  bool began = false;
  async::root_task<void> root(loop, "root", [](bool& began) -> task<> {
    began = true;
    co_return;
  }(began));
  root.request_cancel();
  loop.run();
  CHECK(root.done());
  CHECK_FALSE(root.returned());
  CHECK_FALSE(began);
}

TEST_CASE("once cancelled, an await that would have been ready does not deliver") {
  virtual_loop loop;
  async::channel<int> c(2);
  c.try_send(1);
  journal log;
  async::root_task<void> root(loop, "root", [](async::channel<int>& c, journal& log) -> task<> {
    co_await async::yield();
    log.push_back("yielded");
    co_await c.receive();
    log.push_back("received");
  }(c, log));
  // Run up to the yield only: the root is cancelled while it is in the ready queue.
  struct canceller final : async::ready_item {
    explicit canceller(async::root_task<void>& r) : root(r) {}
    void run() override { root.request_cancel(); }
    async::root_task<void>& root;
    void go(async::loop& l) { l.post(*this); }
  } cancel(root);
  cancel.go(loop);
  loop.run();
  CHECK(log == journal{"yielded"});
  CHECK(c.size() == 1);
}
