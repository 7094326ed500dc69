#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

task<> note_at(virtual_loop& loop, journal& log, base::duration d, std::string text) {
  co_await async::sleep_for(d);
  log.push_back(text + "@" + std::to_string(loop.now().time_since_epoch() / 1ms));
}

class silent_timer final : public async::timer {
 public:
  void expired() override { ++count; }
  int count = 0;
};

}  // namespace

TEST_CASE("timers go off in the order of their deadlines, equal ones in the order they were armed") {
  virtual_loop loop;
  journal log;
  async::root_task<void> root(loop, "root", [](virtual_loop& loop, journal& log) -> task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> task<> {
      s.spawn("t", note_at, std::ref(loop), std::ref(log), 30ms, "c");
      s.spawn("t", note_at, std::ref(loop), std::ref(log), 10ms, "a1");
      s.spawn("t", note_at, std::ref(loop), std::ref(log), 20ms, "b");
      s.spawn("t", note_at, std::ref(loop), std::ref(log), 10ms, "a2");
      s.spawn("t", note_at, std::ref(loop), std::ref(log), 10ms, "a3");
      s.spawn("t", note_at, std::ref(loop), std::ref(log), -5ms, "now");
      co_return;
    });
  }(loop, log));
  loop.run();
  CHECK(log == journal{"now@0", "a1@10", "a2@10", "a3@10", "b@20", "c@30"});
}

TEST_CASE("a heap of timers keeps its order while any of them are moved and disarmed") {
  virtual_loop loop;
  std::vector<silent_timer> timers(500);
  std::uint32_t chance = 1;
  const auto draw = [&] { return chance = chance * 1664525u + 1013904223u, chance >> 8; };
  for (auto& t : timers) loop.arm(t, base::instant(std::chrono::milliseconds(draw() % 1000)));
  for (auto& t : timers)
    if (draw() % 3 == 0) loop.disarm(t);
    else if (draw() % 3 == 0) loop.arm(t, base::instant(std::chrono::milliseconds(draw() % 1000)));
  std::size_t armed = 0;
  for (const auto& t : timers) armed += t.armed();
  auto last = base::instant();
  for (auto next = loop.next_deadline(); next != base::never; next = loop.next_deadline()) {
    CHECK(next >= last);
    last = next;
    loop.run_for(next - loop.now());
  }
  std::size_t fired = 0;
  for (const auto& t : timers) {
    CHECK(t.count <= 1);
    fired += static_cast<std::size_t>(t.count);
  }
  CHECK(fired == armed);
}

TEST_CASE("sleeping for longer than time lasts is sleeping for ever") {
  virtual_loop loop;
  async::root_task<void> root(loop, "root", []() -> task<> { co_await async::sleep_for(base::duration::max()); }());
  loop.run();
  CHECK_FALSE(root.done());
  root.request_cancel();
  loop.run();
  CHECK(root.done());
}

TEST_CASE("what is posted late runs when nothing else is ready") {
  struct note final : async::ready_item {
    note(journal& l, std::string t) : log(l), text(std::move(t)) {}
    void run() override { log.push_back(text); }
    void post(async::loop& l) { l.post(*this); }
    void post_late(async::loop& l) { l.post_late(*this); }
    journal& log;
    std::string text;
  };
  virtual_loop loop;
  journal log;
  note late(log, "late"), first(log, "first"), second(log, "second");
  late.post_late(loop);
  first.post(loop);
  second.post(loop);
  loop.run();
  CHECK(log == journal{"first", "second", "late"});
}
