#include "async/fiber.hpp"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace strata::async {

void fiber_list::push(fiber& f) noexcept {
  f.previous_ = last;
  (last != nullptr ? last->next_ : first) = &f;
  last = &f;
}

void fiber_list::remove(fiber& f) noexcept {
  (f.previous_ != nullptr ? f.previous_->next_ : first) = f.next_;
  (f.next_ != nullptr ? f.next_->previous_ : last) = f.previous_;
}

fiber::fiber(async::loop& l, fiber* parent, fiber_owner& owner, named name)
    : loop_(l), parent_(parent), owner_(owner), name_(std::move(name)) {
  siblings().push(*this);
}

fiber::~fiber() {
  // Also between its end and the call that tells its owner: the loop still holds it then.
  if ((state_ != state::idle && !done()) || queued()) {
    std::string tree = "a fiber was destroyed before it had ended:\n";
    describe(tree, 1);
    std::fputs(tree.c_str(), stderr);
    std::abort();
  }
  siblings().remove(*this);
}

fiber_list& fiber::siblings() noexcept { return parent_ != nullptr ? parent_->children_ : loop_.roots_; }

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

namespace {

constexpr int longest_chain = 16;  // coroutines shown of one fiber; deep recursion has no room on a line

std::string place(const std::source_location& l) {
  std::string_view file = l.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  return std::string(file) + ":" + std::to_string(l.line());
}

}  // namespace

void fiber::describe(std::string& out, int depth) const {
  out.append(static_cast<std::size_t>(depth) * 2, ' ');
  out += std::string(name_.text) + " (" + place(name_.where) + ")";
  if (cancel_requested_) out += " [cancelling]";
  std::string chain;
  int shown = 0;
  for (const auto* p = innermost_; p != nullptr; p = p->caller_) {
    if (++shown > longest_chain) {
      chain = " > ..." + chain;
      break;
    }
    chain = " > " + place(p->awaiting_) + chain;
  }
  out += chain;
  if (leaf_ != nullptr) out += ": " + std::string(leaf_->what());
  else out += done() ? ": done" : ": ready";
  out += '\n';
  for (const auto* c = children_.first; c != nullptr; c = c->next_) c->describe(out, depth + 1);
}

std::size_t loop::fibers() const noexcept {
  std::size_t n = 0;
  for (const auto* f = roots_.first; f != nullptr; f = f->next_) ++n;
  return n;
}

std::string loop::task_tree() const {
  std::string out;
  for (const auto* f = roots_.first; f != nullptr; f = f->next_) f->describe(out, 0);
  return out;
}

}  // namespace strata::async
