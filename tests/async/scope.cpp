#include <stdexcept>

#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::at_end;
using async::scope;
using async::task;

namespace {

task<> note_after(journal& log, std::string text, base::duration d) {
  on_exit_note n(log, text + " ended");
  co_await async::sleep_for(d);
  log.push_back(text);
}

task<> fail_after(base::duration d, const char* what) {
  co_await async::sleep_for(d);
  throw std::runtime_error(what);
}

}  // namespace

TEST_CASE("join waits for the children, cancel ends them") {
  virtual_loop loop;
  journal log;
  const auto body = [&](at_end policy) -> task<int> {
    co_return co_await async::with_scope(policy, [&](scope& s) -> task<int> {
      s.spawn("slow", note_after, std::ref(log), "slow", 2s);
      s.spawn("quick", note_after, std::ref(log), "quick", 1s);
      CHECK(s.children() == 2);
      co_await async::sleep_for(1500ms);
      co_return 5;
    });
  };
  CHECK(loop.run(body(at_end::join)) == 5);
  CHECK(log == journal{"quick", "quick ended", "slow", "slow ended"});
  log.clear();
  CHECK(loop.run(body(at_end::cancel)) == 5);
  CHECK(log == journal{"quick", "quick ended", "slow ended"});
}

TEST_CASE("a child that fails cancels its siblings and the body, and its exception comes out of the await") {
  virtual_loop loop;
  journal log;
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::join, [&](scope& s) -> task<> {
      s.spawn("sibling", note_after, std::ref(log), "sibling", 1h);
      s.spawn("bad", fail_after, 1s, "bad child");
      on_exit_note n(log, "body ended");
      co_await async::sleep_for(1h);
    });
  };
  CHECK_THROWS_WITH(loop.run(body()), "bad child");
  CHECK(loop.now() == base::instant(1s));
  std::ranges::sort(log);
  CHECK(log == journal{"body ended", "sibling ended"});
}

TEST_CASE("a body that fails cancels the children, and they end before the exception goes on") {
  virtual_loop loop;
  journal log;
  const auto body = [&]() -> task<> {
    try {
      co_await async::with_scope(at_end::join, [&](scope& s) -> task<> {
        s.spawn("child", note_after, std::ref(log), "child", 1h);
        co_await async::sleep_for(1s);
        throw std::runtime_error("body");
      });
    } catch (const std::runtime_error& e) {
      log.push_back(std::string("caught ") + e.what());
    }
  };
  loop.run(body());
  CHECK(log == journal{"child ended", "caught body"});
  CHECK(loop.now() == base::instant(1s));
}

TEST_CASE("the first failure is rethrown, later ones are counted") {
  virtual_loop loop;
  std::size_t counted = 0;
  const auto fail_when_stopped = []() -> task<> {
    bool delivered = co_await slow_to_stop(1s, true);
    if (delivered) throw std::runtime_error("second");
  };
  const auto watch = [](scope& s, std::size_t& counted) -> task<> {
    // Shielded, it sees what the others did meanwhile.
    co_await async::shielded([](scope& s, std::size_t& counted) -> task<> {
      co_await async::sleep_for(1min);
      counted = s.later_failures();
    }(s, counted));
  };
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::join, [&](scope& s) -> task<> {
      s.spawn("first", fail_after, 1s, "first");
      s.spawn("second", fail_when_stopped);
      s.spawn("third", fail_when_stopped);
      s.spawn("watch", watch, std::ref(s), std::ref(counted));
      co_return;
    });
  };
  CHECK_THROWS_WITH(loop.run(body()), "first");
  CHECK(counted == 2);
}

TEST_CASE("a child that is spawned after the cancellation never starts") {
  virtual_loop loop;
  journal log;
  const auto begin = [](journal& log) -> task<> {
    log.push_back("began");
    co_return;
  };
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::join, [&](scope& s) -> task<> {
      s.spawn("before", begin, std::ref(log));
      co_await async::sleep_for(1s);
      s.cancel();
      s.spawn("after", begin, std::ref(log));
      co_await async::sleep_for(1s);
      log.push_back("the body goes on");
    });
  };
  loop.run(body());
  CHECK(log == journal{"began", "the body goes on"});
}

TEST_CASE("the callable and its arguments live until the child ends") {
  virtual_loop loop;
  auto counted = std::make_shared<int>(0);
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::join, [&](scope& s) -> task<> {
      s.spawn(
          "child",
          [kept = counted](std::shared_ptr<int> argument) -> task<> {
            co_await async::sleep_for(1s);
            *kept += static_cast<int>(argument.use_count());
          },
          counted);
      co_return;
    });
  };
  loop.run(body());
  CHECK(*counted == 3);  // ours, the closure's, the argument's
  CHECK(counted.use_count() == 1);
}

TEST_CASE("scopes nest, and an inner failure can be handled between them") {
  virtual_loop loop;
  int handled = 0;
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::join, [&](scope& outer) -> task<> {
      for (int i = 0; i < 3; ++i)
        outer.spawn("unit", [&]() -> task<> {
          try {
            co_await async::with_scope(at_end::join, [](scope& inner) -> task<> {
              inner.spawn("bad", fail_after, 1s, "inner");
              inner.spawn("other", fail_after, 1h, "never");
              co_return;
            });
          } catch (const std::runtime_error&) {
            ++handled;
          }
        });
      co_return;
    });
  };
  loop.run(body());
  CHECK(handled == 3);
  CHECK(loop.now() == base::instant(1s));
}

TEST_CASE("a name that was computed is kept") {
  virtual_loop loop;
  std::string tree;
  const auto body = [&]() -> task<> {
    co_await async::with_scope(at_end::cancel, [&](scope& s) -> task<> {
      for (int i = 0; i < 2; ++i)
        s.spawn("a link with a rather long name " + std::to_string(i), []() -> task<> { co_await async::sleep_for(1h); });
      co_await async::sleep_for(1s);
      tree = loop.task_tree();
    });
  };
  loop.run(body());
  CHECK(tree.find("a link with a rather long name 1 (scope.cpp:") != tree.npos);
}
