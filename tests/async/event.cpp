#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

task<> note_when(async::event& e, journal& log, std::string text) {
  co_await e.wait();
  log.push_back(text);
}

}  // namespace

TEST_CASE("set wakes everybody in order and stays set; pulse wakes those who wait and leaves the flag") {
  virtual_loop loop;
  async::event e;
  journal log;
  async::root_task<void> a(loop, "a", note_when(e, log, "a"));
  async::root_task<void> b(loop, "b", note_when(e, log, "b"));
  loop.run();
  CHECK(log.empty());
  e.pulse();
  CHECK_FALSE(e.is_set());
  loop.run();
  CHECK(log == journal{"a", "b"});
  async::root_task<void> c(loop, "c", note_when(e, log, "c"));
  loop.run();
  CHECK_FALSE(c.done());
  e.set();
  async::root_task<void> d(loop, "d", note_when(e, log, "d"));
  loop.run();
  CHECK(log == journal{"a", "b", "c", "d"});
  e.reset();
  CHECK_FALSE(e.is_set());
}

TEST_CASE("set never resumes anybody inside the call") {
  virtual_loop loop;
  async::event e;
  journal log;
  async::root_task<void> waiting(loop, "waiting", note_when(e, log, "woken"));
  async::root_task<void> setting(loop, "setting", [](async::event& e, journal& log) -> task<> {
    e.set();
    log.push_back("after set");
    co_return;
  }(e, log));
  loop.run();
  CHECK(log == journal{"after set", "woken"});
}
