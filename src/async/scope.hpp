// A scope is a block that cannot be left before the children spawned in it have ended.
//
//   co_await with_scope(at_end::cancel, [&](scope& s) -> task<int> {
//     s.spawn("pings", send_pings, std::ref(link));
//     co_return co_await wait_for_answer();
//   });
//
// at_end says what happens to the children when the body has returned: join waits for them, cancel ends them.
// An exception of the body or a child cancels everything else and is rethrown by the await; later ones are counted.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace strata::async {

enum class at_end { join, cancel };

class scope {
 public:
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  // Arguments are taken by value and live in the child's frame; the callable itself lives until the child ends,
  // so a capturing lambda is safe here (what it captured by reference must outlive the scope).
  template <class F, class... Args>
  void spawn(named name, F function, Args... arguments) {
    auto child = std::make_unique<child_of<F>>(*this, std::move(name), std::move(function), std::move(arguments)...);
    adopt(std::move(child));
  }

  // Children only; the body goes on. A child spawned later ends before it begins.
  void cancel() { cancel_children(); }
  [[nodiscard]] std::size_t children() const noexcept { return count_; }
  [[nodiscard]] std::size_t later_failures() const noexcept { return later_failures_; }

 protected:
  scope(loop& l, fiber& parent) noexcept : loop_(l), parent_(parent) {}
  ~scope();

  struct child : fiber_owner {
    explicit child(scope& s) noexcept : owner(s) {}
    virtual ~child() = default;
    virtual task_fiber<void>& body() noexcept = 0;
    void on_fiber_done(fiber&) final { owner.child_done(*this); }
    scope& owner;
    child* previous = nullptr;
    child* next = nullptr;
  };
  template <class F>
  struct child_of final : child {
    template <class... Args>
    child_of(scope& s, named name, F f, Args... arguments)
        : child(s),
          function(std::move(f)),
          fiber(s.loop_, &s.parent_, *this, std::move(name), function(std::move(arguments)...)) {}
    task_fiber<void>& body() noexcept override { return fiber; }
    F function;
    task_fiber<void> fiber;
  };

  void adopt(std::unique_ptr<child> c);
  void cancel_children();
  void fail(std::exception_ptr e);
  virtual void body_must_stop() = 0;
  virtual void child_ended() = 0;

  loop& loop_;
  fiber& parent_;
  std::exception_ptr failure_;

 private:
  void child_done(child& c);

  child* first_ = nullptr;
  std::size_t count_ = 0;
  std::size_t later_failures_ = 0;
  bool cancelled_ = false;
};

template <class Body>
class scope_await final : public leaf {
 public:
  using result_type = typename std::invoke_result_t<Body&, scope&>::value_type;

  scope_await(at_end policy, Body body, std::source_location where) : policy_(policy), body_(std::move(body)), where_(where) {}

  result_type await_resume() {
    if (state_->failed()) state_->rethrow();
    return state_->body().take();
  }

 private:
  struct state final : scope {
    state(scope_await& a, Body& body)
        : scope(a.owner_fiber().loop(), a.owner_fiber()),
          await_(a),
          body_owner_(*this),
          body_(a.owner_fiber().loop(), &a.owner_fiber(), body_owner_, named("scope body", a.where_), body(*this)) {
      body_.start();
    }
    struct owner final : fiber_owner {
      explicit owner(state& s) : self(s) {}
      void on_fiber_done(fiber&) override { self.body_ended(); }
      state& self;
    };
    void body_ended() {
      body_done_ = true;
      if (body_.threw()) fail(body_.thrown());
      if (await_.policy_ == at_end::cancel || !body_.returned() || failed()) cancel_children();
      child_ended();
    }
    void body_must_stop() override { body_.fiber().request_cancel(); }
    void child_ended() override {
      if (!body_done_ || children() != 0) return;
      if (failed() || body_.returned()) await_.complete();
      else await_.cancelled();
    }
    void stop() {
      body_must_stop();
      cancel_children();
    }
    [[nodiscard]] bool failed() const noexcept { return failure_ != nullptr; }
    [[noreturn]] void rethrow() { std::rethrow_exception(failure_); }
    task_fiber<result_type>& body() noexcept { return body_; }

    scope_await& await_;
    owner body_owner_;
    task_fiber<result_type> body_;
    bool body_done_ = false;
  };

  void start() override { state_ = std::make_unique<state>(*this, body_); }
  void request_cancel() noexcept override { state_->stop(); }
  [[nodiscard]] std::string_view what() const noexcept override { return "scope"; }

  at_end policy_;
  Body body_;
  std::source_location where_;
  std::unique_ptr<state> state_;
};

template <class Body>
[[nodiscard]] scope_await<Body> with_scope(at_end policy, Body body,
                                           std::source_location where = std::source_location::current()) {
  return scope_await<Body>(policy, std::move(body), where);
}

}  // namespace strata::async
