// A loop whose clock is virtual: time stands still while anything can run, then jumps to the next timer.
// A run that can never go on again fails with the task tree instead of hanging.
#pragma once

#include <functional>
#include <source_location>
#include <stdexcept>
#include <utility>

#include "async/loop.hpp"
#include "async/task.hpp"

namespace strata::sim {

// what() ends with the task tree as it was: every fiber, the line it waits at, and for what.
class stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class deadlock final : public stuck {  // nothing is left that could wake
 public:
  using stuck::stuck;
};
class overtime final : public stuck {  // the limit of virtual time is used up
 public:
  using stuck::stuck;
};

class loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override { return now_; }

  // Drives until the task has ended and gives what it gave. When it is stuck, the task is cancelled and has ended
  // by the time the exception is thrown.
  template <class T>
  T run(async::task<T> t, std::source_location where = std::source_location::current()) {
    async::root_task<T> root(*this, async::named("run", where), std::move(t));
    drive([&] { return root.done(); }, [&] { root.request_cancel(); });
    return root.take();
  }

  void run_for(base::duration d);
  void set_limit(base::duration of_one_run) noexcept { limit_ = of_one_run; }

 private:
  enum class ending { done, nothing_left, limit_reached };
  void drive(const std::function<bool()>& done, const std::function<void()>& cancel);
  ending advance(const std::function<bool()>& done, base::instant until);

  // Not zero: a zero instant in a protocol means "not yet", and a test should see the difference.
  base::instant now_ = base::instant(std::chrono::hours(1));
  base::duration limit_ = std::chrono::hours(24);
};

}  // namespace strata::sim
