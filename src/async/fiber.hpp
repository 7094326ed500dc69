// A fiber is one chain of coroutines that await each other: a child of a scope, a branch of first_of, a root.
// Cancellation belongs to the fiber and is therefore inherited by every coroutine in it.
//
//   request_cancel()  sets the flag and tells the leaf (the innermost awaited operation)
//   the leaf          ends its operation, however long that takes, and reports cancelled() - or complete(), if the
//                     operation had already delivered; then the coroutine goes on to its next await, which unwinds
//   unwind()          destroys the coroutine frames from the innermost out; no coroutine can catch or ignore it
#pragma once

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

#include "async/loop.hpp"

namespace strata::async {

class fiber;
class leaf;

// What every promise of a task carries.
struct promise_base {
  explicit promise_base(std::source_location where) noexcept : created_(where), awaiting_(where) {}

  fiber* fiber_ = nullptr;
  promise_base* caller_ = nullptr;             // the coroutine of the same fiber that awaits this one
  std::coroutine_handle<>* holder_ = nullptr;  // who owns the frame; cleared when unwinding destroys it
  std::coroutine_handle<> self_;
  std::source_location created_;
  std::source_location awaiting_;
};

// A name and the line that gave it. A literal is borrowed and costs nothing; a std::string is kept.
struct named {
  template <std::size_t N>
  named(const char (&literal)[N], std::source_location w = std::source_location::current()) noexcept
      : text(literal), where(w) {}
  named(std::string t, std::source_location w = std::source_location::current())
      : kept(std::make_shared<const std::string>(std::move(t))), text(*kept), where(w) {}

  std::shared_ptr<const std::string> kept;
  std::string_view text;
  std::source_location where;
};

class fiber_owner {
 public:
  virtual void on_fiber_done(fiber& child) = 0;  // called from the loop, never inside the fiber

 protected:
  ~fiber_owner() = default;
};

class fiber final : private ready_item {
 public:
  enum class state : std::uint8_t { idle, starting, running, returned, cancelled };

  // parent is null for a root. The owner must outlive the fiber's end.
  fiber(loop& l, fiber* parent, fiber_owner& owner, named name);
  ~fiber();

  void start(promise_base& root, std::coroutine_handle<>* holder);
  void request_cancel();

  [[nodiscard]] bool cancel_requested() const noexcept { return cancel_requested_; }
  [[nodiscard]] state current() const noexcept { return state_; }
  [[nodiscard]] bool done() const noexcept { return state_ == state::returned || state_ == state::cancelled; }
  [[nodiscard]] async::loop& loop() const noexcept { return loop_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_.text; }
  void describe(std::string& out, int depth) const;

 private:
  friend class leaf;
  friend class loop;
  friend struct fiber_list;
  template <class>
  friend class task;
  template <class>
  friend struct task_awaiter;
  friend struct final_awaiter;

  void run() override;
  void unwind() noexcept;
  void root_returned() noexcept;
  [[nodiscard]] fiber_list& siblings() noexcept;

  async::loop& loop_;
  fiber* parent_;
  fiber_owner& owner_;
  named name_;
  state state_ = state::idle;
  bool cancel_requested_ = false;
  leaf* leaf_ = nullptr;
  promise_base* innermost_ = nullptr;

  fiber_list children_;  // for the task tree only; who waits for whom is the owners' business
  fiber* previous_ = nullptr;
  fiber* next_ = nullptr;
};

// The innermost thing a fiber waits for. Derived classes are the only places that implement cancellation.
// Contract: start() begins; later exactly one of complete() or cancelled() is called, on the loop's thread, from
// start() itself at the earliest. request_cancel() may be called once after start(), while neither has been called
// yet; the leaf then ends its operation and calls cancelled(), or complete() when there is a value after all.
// A leaf is a temporary: made, awaited once, gone. When start() throws, the await throws.
class leaf : protected ready_item {
 public:
  void attach(fiber& f) noexcept {
    assert(fiber_ == nullptr && "a leaf is awaited once");
    fiber_ = &f;
  }
  bool await_ready() { return !fiber_->cancel_requested_ && ready(); }
  void await_suspend(std::coroutine_handle<> suspended) {
    assert(fiber_->leaf_ == nullptr && "a fiber waits for one thing at a time");
    suspended_ = suspended;
    fiber_->leaf_ = this;
    if (fiber_->cancel_requested_) return cancelled();
    try {
      start();
    } catch (...) {
      fiber_->leaf_ = nullptr;
      suspended_ = nullptr;
      throw;
    }
  }

 protected:
  ~leaf() { assert((!suspended_ || decided_) && "a leaf was destroyed while it was waited for"); }

  virtual bool ready() { return false; }  // true: no need to suspend
  virtual void start() = 0;
  virtual void request_cancel() noexcept = 0;
  [[nodiscard]] virtual std::string_view what() const noexcept = 0;  // for the task tree

  void complete() {
    if (decided_) return;
    decided_ = true;
    fiber_->loop().post(*this);
  }
  void cancelled() {
    assert(fiber_->cancel_requested_ && "only who was asked to stop may report that it has stopped");
    if (decided_) return;
    decided_ = true;
    unwinding_ = true;
    fiber_->loop().post(*this);
  }
  [[nodiscard]] fiber& owner_fiber() const noexcept { return *fiber_; }
  [[nodiscard]] bool decided() const noexcept { return decided_; }

 private:
  friend class fiber;
  void run() final {
    fiber_->leaf_ = nullptr;
    if (unwinding_) fiber_->unwind();
    else suspended_.resume();
  }

  fiber* fiber_ = nullptr;
  std::coroutine_handle<> suspended_;
  bool decided_ = false;
  bool unwinding_ = false;
};

}  // namespace strata::async
