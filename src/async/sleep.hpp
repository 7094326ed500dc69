// Waiting for time to pass, on the loop's clock.
#pragma once

#include <algorithm>

#include "async/combine.hpp"
#include "async/fiber.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::async {

class sleep_await final : public leaf, private timer {
 public:
  explicit sleep_await(base::instant deadline) noexcept : deadline_(deadline) {}
  explicit sleep_await(base::duration d) noexcept : deadline_(d), relative_(true) {}
  void await_resume() const noexcept {}

 private:
  void start() override {
    auto& l = owner_fiber().loop();
    if (relative_) {
      const auto now = l.now();
      const auto d = std::max(base::duration::zero(), base::duration(deadline_.time_since_epoch()));
      deadline_ = d > base::never - now ? base::never : now + d;
    }
    l.arm(*this, deadline_);
  }
  void request_cancel() noexcept override {
    owner_fiber().loop().disarm(*this);
    cancelled();
  }
  void expired() override { complete(); }
  [[nodiscard]] std::string_view what() const noexcept override { return "timer"; }

  base::instant deadline_;
  bool relative_ = false;
};

[[nodiscard]] inline sleep_await sleep_until(base::instant deadline) { return sleep_await(deadline); }
[[nodiscard]] inline sleep_await sleep_for(base::duration d) { return sleep_await(d); }

// Lets everything that is ready now run first.
class yield_await final : public leaf {
 public:
  void await_resume() const noexcept {}

 private:
  void start() override { complete(); }
  void request_cancel() noexcept override {}
  [[nodiscard]] std::string_view what() const noexcept override { return "yield"; }
};
[[nodiscard]] inline yield_await yield() { return {}; }

// The loop the awaiting fiber runs on.
class this_loop_await final : public leaf {
 public:
  loop& await_resume() const noexcept { return owner_fiber().loop(); }

 private:
  bool ready() override { return true; }
  void start() override { complete(); }
  void request_cancel() noexcept override {}
  [[nodiscard]] std::string_view what() const noexcept override { return "this_loop"; }
};
[[nodiscard]] inline this_loop_await this_loop() { return {}; }

namespace detail {
inline task<void> nap(base::duration d) { co_await sleep_for(d); }
}  // namespace detail

// The value if the task returned in time, else nothing; the task has been cancelled and has ended by then.
template <class T>
[[nodiscard]] task<std::optional<value_or_monostate<T>>> with_timeout(base::duration limit, task<T> t) {
  auto [value, late] = co_await first_of(std::move(t), detail::nap(limit));
  co_return std::move(value);
}

// For tasks that return a result the timeout is one more error.
template <class T>
[[nodiscard]] task<base::result<T>> with_timeout(base::duration limit, task<base::result<T>> t) {
  auto [value, late] = co_await first_of(std::move(t), detail::nap(limit));
  if (!value) co_return base::fail(base::errc::timed_out);
  co_return std::move(*value);
}

}  // namespace strata::async
