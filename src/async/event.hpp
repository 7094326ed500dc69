// A flag that fibers can wait for. set() wakes all of them; it stays set until reset().
#pragma once

#include "async/fiber.hpp"
#include "async/wait_list.hpp"

namespace strata::async {

class event {
 public:
  class wait_await final : public leaf {
   public:
    explicit wait_await(event& e) noexcept : event_(e) {}
    void await_resume() const noexcept {}

   private:
    friend class event;
    friend class wait_list<wait_await>;
    bool ready() override { return event_.set_; }
    void start() override { event_.waiters_.push(*this); }
    void request_cancel() noexcept override {
      event_.waiters_.remove(*this);
      cancelled();
    }
    [[nodiscard]] std::string_view what() const noexcept override { return "event"; }

    event& event_;
    wait_await* previous_ = nullptr;
    wait_await* next_ = nullptr;
  };

  [[nodiscard]] bool is_set() const noexcept { return set_; }
  void set() {
    set_ = true;
    pulse();
  }
  void reset() noexcept { set_ = false; }
  // Wakes those who wait now and leaves the flag as it is.
  void pulse() {
    while (auto* w = waiters_.pop()) w->complete();
  }
  [[nodiscard]] wait_await wait() noexcept { return wait_await(*this); }

 private:
  bool set_ = false;
  wait_list<wait_await> waiters_;
};

}  // namespace strata::async
