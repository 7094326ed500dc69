#include "async/scope.hpp"

#include <cstdio>
#include <cstdlib>

namespace strata::async {

scope::~scope() {
  if (count_ == 0) return;
  std::fprintf(stderr, "a scope was destroyed with %zu children:\n%s", count_, loop_.task_tree().c_str());
  std::abort();
}

void scope::adopt(std::unique_ptr<child> c) {
  auto* raw = c.release();
  raw->next = first_;
  if (first_ != nullptr) first_->previous = raw;
  first_ = raw;
  ++count_;
  raw->body().start();
  if (cancelled_) raw->body().fiber().request_cancel();
}

void scope::cancel_children() {
  cancelled_ = true;
  for (auto* c = first_; c != nullptr; c = c->next) c->body().fiber().request_cancel();
}

void scope::fail(std::exception_ptr e) {
  if (failure_ == nullptr) failure_ = std::move(e);
  else ++later_failures_;
}

void scope::child_done(child& c) {
  const std::unique_ptr<child> ended(&c);
  if (c.previous != nullptr) c.previous->next = c.next;
  else first_ = c.next;
  if (c.next != nullptr) c.next->previous = c.previous;
  --count_;
  if (c.body().threw()) {
    fail(c.body().thrown());
    cancel_children();
    body_must_stop();
  }
  child_ended();
}

}  // namespace strata::async
