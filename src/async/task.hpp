// task<T>: a lazy coroutine that returns one T. Move-only, awaited once, started by the await (or by a scope).
// Whatever a task awaits is a task<U> or a leaf; nothing else can be awaited, so cancellation reaches everything.
#pragma once

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "async/fiber.hpp"
#include "async/frame_allocator.hpp"

namespace strata::async {

template <class T = void>
class task;

struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    promise_base& p = finished.promise();
    if (p.caller_ == nullptr) {
      p.fiber_->root_returned();
      return std::noop_coroutine();
    }
    p.fiber_->innermost_ = p.caller_;
    return p.caller_->self_;  // symmetric transfer: the stack does not grow
  }
  void await_resume() const noexcept {}
};

template <class T>
struct task_awaiter;

template <class T>
struct task_promise_base : promise_base {
  explicit task_promise_base(std::source_location where) noexcept : promise_base(where) {}

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { release_frame(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  template <class U>
  task_awaiter<U> await_transform(task<U>&& t, std::source_location where = std::source_location::current()) {
    awaiting_ = where;
    return task_awaiter<U>(t.release());
  }
  template <class Leaf>
    requires std::is_base_of_v<leaf, Leaf>  // a temporary only: a leaf is awaited once
  Leaf&& await_transform(Leaf&& l, std::source_location where = std::source_location::current()) {
    awaiting_ = where;
    l.attach(*fiber_);
    return std::move(l);
  }

  std::exception_ptr thrown_;
};

template <class T>
struct task_promise final : task_promise_base<T> {
  explicit task_promise(std::source_location where = std::source_location::current()) noexcept : task_promise_base<T>(where) {
    this->self_ = std::coroutine_handle<task_promise>::from_promise(*this);
  }
  task<T> get_return_object() noexcept;
  template <class U>
    requires std::is_convertible_v<U&&, T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    if (this->thrown_) std::rethrow_exception(std::exchange(this->thrown_, nullptr));
    return std::move(*value_);
  }
  std::optional<T> value_;
};

template <>
struct task_promise<void> final : task_promise_base<void> {
  explicit task_promise(std::source_location where = std::source_location::current()) noexcept
      : task_promise_base<void>(where) {
    self_ = std::coroutine_handle<task_promise>::from_promise(*this);
  }
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
};

// Owns a frame. The handle is type-erased so that unwinding can clear it.
template <class T>
class frame_owner {
 public:
  using promise_type = task_promise<T>;
  frame_owner() = default;
  explicit frame_owner(promise_type& p) noexcept : handle_(p.self_), promise_(&p) {}
  frame_owner(frame_owner&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), promise_(std::exchange(other.promise_, nullptr)) {}
  frame_owner& operator=(frame_owner&&) = delete;
  ~frame_owner() {
    if (handle_) handle_.destroy();
  }
  [[nodiscard]] promise_type& promise() const noexcept { return *promise_; }
  [[nodiscard]] std::coroutine_handle<>* slot() noexcept { return &handle_; }
  [[nodiscard]] bool alive() const noexcept { return static_cast<bool>(handle_); }

 private:
  std::coroutine_handle<> handle_;
  promise_type* promise_ = nullptr;
};

template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = task_promise<T>;
  using value_type = T;
  explicit task(promise_type& p) noexcept : frame_(p) {}
  task(task&&) noexcept = default;

  frame_owner<T> release() noexcept { return std::move(frame_); }

 private:
  frame_owner<T> frame_;
};

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(*this);
}
inline task<void> task_promise<void>::get_return_object() noexcept { return task<void>(*this); }

template <class T>
struct task_awaiter {
  explicit task_awaiter(frame_owner<T> f) noexcept : frame_(std::move(f)) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    auto& callee = frame_.promise();
    promise_base& p = caller.promise();
    callee.caller_ = &p;
    callee.fiber_ = p.fiber_;
    callee.holder_ = frame_.slot();
    p.fiber_->innermost_ = &callee;
    return callee.self_;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  frame_owner<T> frame_;
};

// A fiber with the task that runs in it.
template <class T>
class task_fiber {
 public:
  task_fiber(loop& l, fiber* parent, fiber_owner& owner, named name, task<T>&& t)
      : frame_(t.release()), fiber_(l, parent, owner, std::move(name)) {}
  void start() { fiber_.start(frame_.promise(), frame_.slot()); }
  [[nodiscard]] async::fiber& fiber() noexcept { return fiber_; }
  [[nodiscard]] bool returned() const noexcept { return fiber_.current() == async::fiber::state::returned; }
  [[nodiscard]] bool threw() const noexcept { return thrown() != nullptr; }
  T take() { return frame_.promise().take(); }  // only when returned(); rethrows
  [[nodiscard]] std::exception_ptr thrown() const noexcept { return returned() ? frame_.promise().thrown_ : nullptr; }

 private:
  frame_owner<T> frame_;  // destroyed after the fiber
  async::fiber fiber_;
};

// A root: what a driver starts from outside any coroutine.
template <class T>
class root_task final : private fiber_owner {
 public:
  root_task(loop& l, named name, task<T> t) : fiber_(l, nullptr, *this, std::move(name), std::move(t)) { fiber_.start(); }
  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] bool returned() const noexcept { return done_ && fiber_.returned(); }
  void request_cancel() { fiber_.fiber().request_cancel(); }
  T take() {  // once, after it has returned; rethrows what the task threw
    assert(returned());
    return fiber_.take();
  }

 private:
  void on_fiber_done(fiber&) override { done_ = true; }
  bool done_ = false;
  task_fiber<T> fiber_;
};

// void results become monostate where results are collected
template <class T>
using value_or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
value_or_monostate<T> take_value(task_fiber<T>& f) {
  if constexpr (std::is_void_v<T>) {
    f.take();
    return {};
  } else {
    return f.take();
  }
}

}  // namespace strata::async
