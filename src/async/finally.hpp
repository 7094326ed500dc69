// Clean-up that has to wait: finally(work, cleanup) runs the work, and when that has ended in whatever way (value,
// exception, cancellation) the clean-up, to its end; then goes on as the work did. Destructors are the place for
// clean-up that does not wait; this is for the last message to a server.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace strata::async {

template <class T, class Cleanup>
class finally_await final : public leaf, private fiber_owner {
 public:
  finally_await(task<T>&& work, Cleanup cleanup) : task_(std::move(work)), cleanup_(std::move(cleanup)) {}

  // What the work threw comes before what the clean-up threw.
  T await_resume() {
    if (!work_->threw() && cleaning_->threw()) cleaning_->take();
    return work_->take();
  }

 private:
  void start() override {
    work_.emplace(owner_fiber().loop(), &owner_fiber(), static_cast<fiber_owner&>(*this), "work", std::move(task_));
    work_->start();
  }
  void request_cancel() noexcept override { work_->fiber().request_cancel(); }

  void on_fiber_done(fiber& f) override {
    if (&f == &work_->fiber()) {
      cleaning_.emplace(owner_fiber().loop(), &owner_fiber(), static_cast<fiber_owner&>(*this), "clean-up", cleanup_());
      cleaning_->start();
    } else if (work_->returned() || cleaning_->threw()) {
      complete();
    } else {
      cancelled();
    }
  }
  [[nodiscard]] std::string_view what() const noexcept override { return cleaning_ ? "clean-up" : "work"; }

  task<T> task_;
  Cleanup cleanup_;
  std::optional<task_fiber<T>> work_;
  std::optional<task_fiber<void>> cleaning_;
};

// The clean-up is a callable that gives task<>; it is kept until it has ended. Whoever cancels has to wait for it.
template <class T, class Cleanup>
  requires std::is_same_v<std::invoke_result_t<Cleanup&>, task<void>>
[[nodiscard]] finally_await<T, Cleanup> finally(task<T> work, Cleanup cleanup) {
  return finally_await<T, Cleanup>(std::move(work), std::move(cleanup));
}

}  // namespace strata::async
