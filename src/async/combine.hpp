// first_of, all_of, shielded: tasks side by side, each in a fiber of its own, none of which outlives the await.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace strata::async {

// What first_of gives: an optional for each branch. At least one is set; a loser that had delivered before it
// could be stopped is set too, so nothing that was received is lost. When several are set the leftmost won.
template <class... Ts>
using first = std::tuple<std::optional<value_or_monostate<Ts>>...>;

namespace detail {

// Runs all branches; the policies differ in what ends the others.
template <class Derived, class... Ts>
class branches : public leaf, protected fiber_owner {
 public:
  explicit branches(task<Ts>&&... tasks) : tasks_(std::move(tasks)...) {}
  static_assert(sizeof...(Ts) > 0, "nothing would ever end the wait");

 protected:
  ~branches() = default;
  static constexpr auto indices = std::index_sequence_for<Ts...>{};

  void start() final { start_each(indices); }
  void request_cancel() noexcept final { cancel_all(); }

  void cancel_all() {
    std::apply([](auto&... f) { (f->fiber().request_cancel(), ...); }, fibers_);
  }
  void rethrow_first() {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

  std::tuple<std::optional<task_fiber<Ts>>...> fibers_;
  std::exception_ptr failure_;
  std::size_t running_ = sizeof...(Ts);

 private:
  template <std::size_t... I>
  void start_each(std::index_sequence<I...>) {
    (std::get<I>(fibers_).emplace(owner_fiber().loop(), &owner_fiber(), static_cast<fiber_owner&>(*this), Derived::branch_name,
                                  std::move(std::get<I>(tasks_))),
     ...);
    (std::get<I>(fibers_)->start(), ...);
  }

  void on_fiber_done(fiber& f) final {
    --running_;
    bool returned = false;
    std::exception_ptr thrown;
    const auto look = [&](auto& branch) {
      if (&branch->fiber() != &f) return;
      returned = branch->returned();
      thrown = branch->thrown();
    };
    std::apply([&](auto&... branch) { (look(branch), ...); }, fibers_);
    if (thrown != nullptr && failure_ == nullptr) failure_ = thrown;
    if (thrown != nullptr || (returned && Derived::first_return_ends)) cancel_all();
    if (running_ != 0) return;
    if (failure_ != nullptr || static_cast<Derived&>(*this).satisfied()) complete();
    else cancelled();
  }

  std::tuple<task<Ts>...> tasks_;
};

}  // namespace detail

template <class... Ts>
class first_of_await final : public detail::branches<first_of_await<Ts...>, Ts...> {
  using base = detail::branches<first_of_await<Ts...>, Ts...>;

 public:
  using base::base;
  first<Ts...> await_resume() {
    this->rethrow_first();
    return std::apply([](auto&... f) { return first<Ts...>(collect(*f)...); }, this->fibers_);
  }

 private:
  friend base;
  static constexpr bool first_return_ends = true;
  static inline const named branch_name = "first_of branch";
  template <class T>
  static std::optional<value_or_monostate<T>> collect(task_fiber<T>& f) {
    if (!f.returned()) return std::nullopt;
    return take_value(f);
  }
  bool satisfied() {
    return std::apply([](auto&... f) { return (f->returned() || ...); }, this->fibers_);
  }
  [[nodiscard]] std::string_view what() const noexcept override { return "first_of"; }
};

template <class... Ts>
class all_of_await final : public detail::branches<all_of_await<Ts...>, Ts...> {
  using base = detail::branches<all_of_await<Ts...>, Ts...>;

 public:
  using base::base;
  std::tuple<value_or_monostate<Ts>...> await_resume() {
    this->rethrow_first();
    return std::apply([](auto&... f) { return std::tuple<value_or_monostate<Ts>...>(take_value(*f)...); }, this->fibers_);
  }

 private:
  friend base;
  static constexpr bool first_return_ends = false;
  static inline const named branch_name = "all_of branch";
  bool satisfied() {
    return std::apply([](auto&... f) { return (f->returned() && ...); }, this->fibers_);
  }
  [[nodiscard]] std::string_view what() const noexcept override { return "all_of"; }
};

// The first branch to return ends the others; the await lasts until they have ended.
template <class... Ts>
[[nodiscard]] first_of_await<Ts...> first_of(task<Ts>... tasks) {
  return first_of_await<Ts...>(std::move(tasks)...);
}

// All branches; an exception of one ends the others and is rethrown.
template <class... Ts>
[[nodiscard]] all_of_await<Ts...> all_of(task<Ts>... tasks) {
  return all_of_await<Ts...>(std::move(tasks)...);
}

// Runs a task to its end whatever happens to the awaiting fiber; a cancellation that came meanwhile acts afterwards.
// For short clean-up only: whoever cancels has to wait for it.
template <class T>
class shielded_await final : public leaf, private fiber_owner {
 public:
  explicit shielded_await(task<T>&& t) : task_(std::move(t)) {}
  T await_resume() { return fiber_->take(); }

 private:
  void start() override {
    fiber_.emplace(owner_fiber().loop(), &owner_fiber(), static_cast<fiber_owner&>(*this), "shielded", std::move(task_));
    fiber_->start();
  }
  void request_cancel() noexcept override {}
  void on_fiber_done(fiber&) override { complete(); }
  [[nodiscard]] std::string_view what() const noexcept override { return "shielded"; }

  task<T> task_;
  std::optional<task_fiber<T>> fiber_;
};

template <class T>
[[nodiscard]] shielded_await<T> shielded(task<T> t) {
  return shielded_await<T>(std::move(t));
}

}  // namespace strata::async
