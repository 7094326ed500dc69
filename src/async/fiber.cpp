#include "async/fiber.hpp"

#include <cassert>
#include <cstdio>
#include <cstdlib>

namespace strata::async {

fiber::fiber(async::loop& l, fiber* parent, fiber_owner& owner, named name) noexcept
    : loop_(l), parent_(parent), owner_(owner), name_(name) {
  link();
}

fiber::~fiber() {
  if (state_ != state::idle && !done()) {
    std::string tree = "a fiber was destroyed before it had ended:\n";
    describe(tree, 1);
    std::fputs(tree.c_str(), stderr);
    std::abort();
  }
  unlink();
}

fiber*& fiber::siblings() noexcept { return parent_ != nullptr ? parent_->children_ : loop_.roots_; }

void fiber::link() noexcept {
  auto& first = siblings();
  next_ = first;
  if (first != nullptr) first->previous_ = this;
  first = this;
}

void fiber::unlink() noexcept {
  if (previous_ != nullptr) previous_->next_ = next_;
  else siblings() = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

void fiber::start(promise_base& root, std::coroutine_handle<>* holder) {
  assert(state_ == state::idle);
  root.fiber_ = this;
  root.holder_ = holder;
  innermost_ = &root;
  state_ = state::starting;
  loop_.post(*this);
}

void fiber::request_cancel() {
  if (cancel_requested_ || done()) return;
  cancel_requested_ = true;
  if (leaf_ != nullptr && !leaf_->decided_) leaf_->request_cancel();
}

void fiber::run() {
  if (state_ == state::starting) {
    state_ = state::running;
    if (cancel_requested_) unwind();  // never started: nothing has happened, nothing is to be undone
    else innermost_->self_.resume();
    return;
  }
  owner_.on_fiber_done(*this);  // may destroy *this
}

void fiber::unwind() noexcept {
  while (innermost_ != nullptr) {
    auto* frame = innermost_;
    innermost_ = frame->caller_;
    *frame->holder_ = nullptr;
    frame->self_.destroy();
  }
  state_ = state::cancelled;
  loop_.post(*this);
}

void fiber::root_returned() noexcept {
  innermost_ = nullptr;
  state_ = state::returned;
  loop_.post(*this);
}

void fiber::describe(std::string& out, int depth) const {
  const auto place = [](const std::source_location& l) {
    std::string_view file = l.file_name();
    if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
    return std::string(file) + ":" + std::to_string(l.line());
  };
  out.append(static_cast<std::size_t>(depth) * 2, ' ');
  out += std::string(name_.text) + " (" + place(name_.where) + ")";
  if (cancel_requested_) out += " [cancelling]";
  std::string chain;
  for (const auto* p = innermost_; p != nullptr; p = p->caller_) chain = " > " + place(p->awaiting_) + chain;
  out += chain;
  if (leaf_ != nullptr) out += ": " + std::string(leaf_->what());
  else out += done() ? ": done" : ": ready";
  out += '\n';
  for (const auto* c = children_; c != nullptr; c = c->next_) c->describe(out, depth + 1);
}

std::string loop::task_tree() const {
  std::string out;
  for (const auto* f = roots_; f != nullptr; f = f->next_) f->describe(out, 0);
  return out;
}

}  // namespace strata::async
