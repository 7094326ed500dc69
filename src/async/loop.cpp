#include "async/loop.hpp"

#include <cassert>

#include "async/fiber.hpp"

namespace strata::async {

namespace {
// A turn that never empties its queue must still flush what it batched.
constexpr int longest_stretch = 512;
}  // namespace

loop::~loop() { assert(roots_.first == nullptr && "a loop was destroyed while fibers were alive on it"); }

void loop::push(queue& q, ready_item& item) {
  assert(!item.queued_ && "an item is in one queue at a time");
  item.queued_ = true;
  item.next_ = nullptr;
  if (q.last != nullptr) q.last->next_ = &item;
  else q.first = &item;
  q.last = &item;
}

ready_item* loop::pop(queue& q) noexcept {
  auto* item = q.first;
  q.first = item->next_;
  if (q.first == nullptr) q.last = nullptr;
  item->queued_ = false;
  return item;
}

void loop::post(ready_item& item) {
  const bool was_idle = idle();
  push(ready_, item);
  if (was_idle && !running_) wake();
}

void loop::post_late(ready_item& item) {
  const bool was_idle = idle();
  push(late_, item);
  if (was_idle && !running_) wake();
}

void loop::withdraw(ready_item& item) noexcept {
  if (!item.queued_) return;
  for (auto* q : {&ready_, &late_}) {
    ready_item* before = nullptr;
    for (auto* i = q->first; i != nullptr; before = i, i = i->next_) {
      if (i != &item) continue;
      (before != nullptr ? before->next_ : q->first) = item.next_;
      if (q->last == &item) q->last = before;
      item.queued_ = false;
      return;
    }
  }
}

void loop::run_ready() {
  assert(!running_ && "run_ready is not re-entrant");
  running_ = true;
  while (!idle()) {
    for (int n = 0; n < longest_stretch && ready_.first != nullptr; ++n) pop(ready_)->run();
    // Late items may post late items again; take only those that are there now.
    std::size_t there_now = 0;
    for (const auto* i = late_.first; i != nullptr; i = i->next_) ++there_now;
    for (; there_now > 0 && late_.first != nullptr; --there_now) pop(late_)->run();
  }
  running_ = false;
}

void loop::arm(timer& t, base::instant deadline) {
  if (t.armed()) disarm(t);
  t.deadline_ = deadline;
  t.sequence_ = next_sequence_++;
  t.index_ = heap_.size();
  heap_.push_back(&t);
  sift_up(t.index_);
}

void loop::disarm(timer& t) noexcept {
  if (!t.armed()) return;
  const auto at = t.index_;
  auto* last = heap_.back();
  heap_.pop_back();
  t.index_ = timer::unarmed;
  if (last == &t) return;
  heap_[at] = last;
  last->index_ = at;
  sift_up(at);
  sift_down(last->index_);
}

void loop::fire_timers() {
  const auto until = now();
  while (!heap_.empty() && heap_.front()->deadline_ <= until) {
    auto* t = heap_.front();
    disarm(*t);
    t->expired();
  }
}

base::instant loop::next_deadline() const noexcept { return heap_.empty() ? base::never : heap_.front()->deadline_; }

bool loop::earlier(const timer* a, const timer* b) noexcept {
  return a->deadline_ != b->deadline_ ? a->deadline_ < b->deadline_ : a->sequence_ < b->sequence_;
}

void loop::sift_up(std::size_t at) noexcept {
  auto* t = heap_[at];
  while (at > 0) {
    const auto parent = (at - 1) / 2;
    if (!earlier(t, heap_[parent])) break;
    heap_[at] = heap_[parent];
    heap_[at]->index_ = at;
    at = parent;
  }
  heap_[at] = t;
  t->index_ = at;
}

void loop::sift_down(std::size_t at) noexcept {
  auto* t = heap_[at];
  for (;;) {
    auto child = at * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && earlier(heap_[child + 1], heap_[child])) ++child;
    if (!earlier(heap_[child], t)) break;
    heap_[at] = heap_[child];
    heap_[at]->index_ = at;
    at = child;
  }
  heap_[at] = t;
  t->index_ = at;
}

}  // namespace strata::async
