#include "net/asio_blocking.hpp"

#include <signal.h>

#include <asio/post.hpp>
#include <cassert>

namespace strata::net::detail {

blocking_worker::~blocking_worker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    assert(waiting_.empty() && "somebody still waits for blocking work");
    ends_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void blocking_worker::push(blocking_call& c) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&c);
  }
  changed_.notify_one();
  if (thread_.joinable()) return;
  // Signals are the main thread's: none of them shall end a system call here half-way.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void blocking_worker::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto& call = *waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    call.run_here();
    asio::post(loop_.io, [&call] { call.finished(); });  // the last word of this thread about the call
    lock.lock();
  }
}

}  // namespace strata::net::detail
