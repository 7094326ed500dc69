// The smallest loop that can drive the framework: a clock that jumps to the next timer.
#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "async/async.hpp"

namespace strata {

class virtual_loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override { return now_; }

  // Until nothing is left that could wake, or the next timer is later than the limit.
  void run(base::instant limit = base::never) {
    for (;;) {
      run_ready();
      const auto next = next_deadline();
      if (next == base::never || next > limit) return;
      if (next > now_) now_ = next;
      fire_timers();
    }
  }
  // To that moment, with everything that happens in it.
  void run_for(base::duration d) {
    const auto until = now_ + d;
    run(until);
    now_ = until;
    run_ready();
  }
  template <class T>
  T run(async::task<T> t) {
    async::root_task<T> root(*this, "test", std::move(t));
    run();
    REQUIRE(root.done());
    return root.take();
  }

 private:
  base::instant now_{};
};

// Notes what happened, in order.
using journal = std::vector<std::string>;
struct on_exit_note {
  on_exit_note(journal& j, std::string t) : to(j), text(std::move(t)) {}
  ~on_exit_note() { to.push_back(text); }
  on_exit_note(const on_exit_note&) = delete;
  on_exit_note& operator=(const on_exit_note&) = delete;
  journal& to;
  std::string text;
};

// A leaf that ends only some time after it was asked to: an operation of a kernel, a server that must be told.
class slow_to_stop final : public async::leaf, private async::timer {
 public:
  slow_to_stop(base::duration needs, bool delivers = false) : needs_(needs), delivers_(delivers) {}
  bool await_resume() const noexcept { return true; }

 private:
  void start() override {}
  void request_cancel() noexcept override {
    auto& l = owner_fiber().loop();
    l.arm(*this, l.now() + needs_);
  }
  void expired() override {
    if (delivers_) complete();
    else cancelled();
  }
  [[nodiscard]] std::string_view what() const noexcept override { return "slow to stop"; }

  base::duration needs_;
  bool delivers_;
};

}  // namespace strata
