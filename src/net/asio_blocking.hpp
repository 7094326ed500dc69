// The thread for what blocks: run_blocking of the Asio host. Internal to it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "async/fiber.hpp"
#include "net/asio_private.hpp"

namespace strata::net::detail {

class blocking_call;

// One thread and a queue. The calls belong to the coroutines that await them, so none is left when the last of those has ended.
class blocking_worker {
 public:
  explicit blocking_worker(asio_loop& l) noexcept : loop_(l) {}
  ~blocking_worker();
  void push(blocking_call& c);

 private:
  void work();

  asio_loop& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<blocking_call*> waiting_;
  bool ends_ = false;
  std::thread thread_;  // made by the first call: most programs never block
};

class blocking_call final : public async::leaf {
 public:
  blocking_call(blocking_worker& w, std::function<void()> f) : worker_(w), function_(std::move(f)) {}
  void await_resume() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  friend class blocking_worker;
  void start() override { worker_.push(*this); }
  // The function may be running, and what it works on may live in frames of this fiber: they stay until it has ended.
  void request_cancel() noexcept override {}
  [[nodiscard]] std::string_view what() const noexcept override { return "blocking work"; }

  void run_here() noexcept {
    try {
      function_();
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }
  void finished() { complete(); }

  blocking_worker& worker_;
  std::function<void()> function_;
  std::exception_ptr thrown_;
};

}  // namespace strata::net::detail
