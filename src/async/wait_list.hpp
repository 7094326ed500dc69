// FIFO of leaves that wait for the same thing; a leaf takes itself out when it is cancelled.
#pragma once

#include <cassert>

namespace strata::async {

template <class Node>
class wait_list {
 public:
  wait_list() = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;
  ~wait_list() { assert(first_ == nullptr && "destroyed while somebody waits for it"); }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] Node* front() const noexcept { return first_; }

  void push(Node& n) noexcept {
    n.previous_ = last_;
    n.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &n;
    last_ = &n;
  }
  void remove(Node& n) noexcept {
    (n.previous_ != nullptr ? n.previous_->next_ : first_) = n.next_;
    (n.next_ != nullptr ? n.next_->previous_ : last_) = n.previous_;
    n.previous_ = n.next_ = nullptr;
  }
  Node* pop() noexcept {
    auto* n = first_;
    if (n != nullptr) remove(*n);
    return n;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace strata::async
