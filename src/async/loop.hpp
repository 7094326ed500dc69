// The loop: a FIFO of things ready to run, a heap of timers, and a clock that the driver supplies.
// It knows no operating system. net's Asio host and sim's virtual host drive it; both run every resumption
// through the same FIFO, so nothing is ever resumed inside somebody else's call and the order is deterministic.
// Single-threaded: only the driver's thread may touch it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace strata::async {

class fiber;

// Fibers in the order in which they were made.
struct fiber_list {
  void push(fiber& f) noexcept;
  void remove(fiber& f) noexcept;
  fiber* first = nullptr;
  fiber* last = nullptr;
};

// Intrusive entry of the ready queue; an entry is in at most one queue at a time.
class ready_item {
 public:
  ready_item() = default;
  ready_item(const ready_item&) = delete;
  ready_item& operator=(const ready_item&) = delete;

 protected:
  ~ready_item() = default;
  virtual void run() = 0;
  [[nodiscard]] bool queued() const noexcept { return queued_; }

 private:
  friend class loop;
  ready_item* next_ = nullptr;
  bool queued_ = false;
};

// Intrusive entry of the timer heap. expired() is called from fire_timers().
class timer {
 public:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  [[nodiscard]] bool armed() const noexcept { return index_ != unarmed; }

 protected:
  ~timer() = default;
  virtual void expired() = 0;

 private:
  friend class loop;
  static constexpr std::size_t unarmed = static_cast<std::size_t>(-1);
  base::instant deadline_{};
  std::uint64_t sequence_ = 0;  // equal deadlines fire in the order they were armed
  std::size_t index_ = unarmed;
};

class loop {
 public:
  loop() = default;
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  virtual ~loop();

  [[nodiscard]] virtual base::instant now() const = 0;

  void post(ready_item& item);       // runs after everything that is ready now
  void post_late(ready_item& item);  // runs when the ready queue is empty (or was long): flushes, batching

  void withdraw(ready_item& item) noexcept;  // takes it out of whatever queue it is in

  void arm(timer& t, base::instant deadline);  // re-arming moves it
  void disarm(timer& t) noexcept;

  // For the driver.
  void run_ready();                                            // until both queues are empty
  void fire_timers();                                          // all with deadline <= now()
  [[nodiscard]] base::instant next_deadline() const noexcept;  // base::never when there is none
  [[nodiscard]] bool idle() const noexcept { return ready_.first == nullptr && late_.first == nullptr; }

  [[nodiscard]] std::size_t timers() const noexcept { return heap_.size(); }  // armed
  [[nodiscard]] std::size_t fibers() const noexcept;                          // roots
  [[nodiscard]] std::string task_tree() const;  // every root fiber with what it waits for, and where

 protected:
  virtual void wake() {}  // the queue stopped being empty while the driver was not in run_ready()

 private:
  friend class fiber;
  struct queue {
    ready_item* first = nullptr;
    ready_item* last = nullptr;
  };
  void push(queue& q, ready_item& item);
  static ready_item* pop(queue& q) noexcept;
  void sift_up(std::size_t at) noexcept;
  void sift_down(std::size_t at) noexcept;
  [[nodiscard]] static bool earlier(const timer* a, const timer* b) noexcept;

  queue ready_;
  queue late_;
  bool running_ = false;
  std::vector<timer*> heap_;
  std::uint64_t next_sequence_ = 0;
  fiber_list roots_;
};

}  // namespace strata::async
