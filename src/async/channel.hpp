// A bounded queue between fibers. The bound is a weight: one per item, or whatever the weigher says (bytes).
// send() waits for room, receive() for an item. After close(), sends fail and receivers drain what is left.
// An item heavier than the bound is accepted when the queue is empty, so that no sender waits for ever.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "async/fiber.hpp"
#include "async/wait_list.hpp"

namespace strata::async {

template <class T>
class channel {
 public:
  using weigher = std::size_t (*)(const T&);
  static std::size_t one(const T&) noexcept { return 1; }

  explicit channel(std::size_t capacity, weigher weigh = one) : capacity_(capacity), weigh_(weigh) {}

  // co_await send(x): true when x is in the queue, false when the channel is closed
  class send_await final : public leaf {
   public:
    send_await(channel& c, T item) : channel_(c), item_(std::move(item)) {}
    bool await_resume() const noexcept { return sent_; }

   private:
    friend class channel;
    friend class wait_list<send_await>;
    bool ready() override {
      if (channel_.closed_) return true;
      if (!channel_.senders_.empty() || !channel_.fits(item_)) return false;
      channel_.put(std::move(item_));
      return sent_ = true;
    }
    void start() override { channel_.senders_.push(*this); }
    void request_cancel() noexcept override {
      channel_.senders_.remove(*this);
      cancelled();
      channel_.admit();  // a heavy item may have kept lighter ones out
    }
    [[nodiscard]] std::string_view what() const noexcept override { return "channel send"; }

    channel& channel_;
    T item_;
    bool sent_ = false;
    send_await* previous_ = nullptr;
    send_await* next_ = nullptr;
  };

  // co_await receive(): the next item, or nothing when the channel is closed and empty
  class receive_await final : public leaf {
   public:
    explicit receive_await(channel& c) noexcept : channel_(c) {}
    std::optional<T> await_resume() { return std::move(item_); }

   private:
    friend class channel;
    friend class wait_list<receive_await>;
    bool ready() override {
      item_ = channel_.try_receive();
      return item_.has_value() || channel_.closed_;
    }
    void start() override { channel_.receivers_.push(*this); }
    void request_cancel() noexcept override {
      channel_.receivers_.remove(*this);
      cancelled();
    }
    [[nodiscard]] std::string_view what() const noexcept override { return "channel receive"; }

    channel& channel_;
    std::optional<T> item_;
    receive_await* previous_ = nullptr;
    receive_await* next_ = nullptr;
  };

  [[nodiscard]] send_await send(T item) { return send_await(*this, std::move(item)); }
  [[nodiscard]] receive_await receive() { return receive_await(*this); }

  // False, and the item is untouched, when there is no room or the channel is closed.
  bool try_send(T&& item) {
    if (closed_ || !senders_.empty() || !fits(item)) return false;
    put(std::move(item));
    return true;
  }
  bool try_send(const T& item) {
    if (closed_ || !senders_.empty() || !fits(item)) return false;
    put(T(item));
    return true;
  }

  std::optional<T> try_receive() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    weight_ -= weigh_(*item);
    admit();
    return item;
  }

  void close() {
    if (closed_) return;
    closed_ = true;
    while (auto* s = senders_.pop()) s->complete();
    while (auto* r = receivers_.pop()) r->complete();
  }

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] std::size_t weight() const noexcept { return weight_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  [[nodiscard]] bool fits(const T& item) const { return items_.empty() || weight_ + weigh_(item) <= capacity_; }
  void admit() {
    while (!senders_.empty() && fits(senders_.front()->item_)) {
      auto* s = senders_.pop();
      put(std::move(s->item_));
      s->sent_ = true;
      s->complete();
    }
  }
  void put(T item) {
    if (auto* r = receivers_.pop()) {  // somebody waits, so the queue is empty
      r->item_.emplace(std::move(item));
      r->complete();
      return;
    }
    weight_ += weigh_(item);
    items_.push_back(std::move(item));
  }

  std::size_t capacity_;
  weigher weigh_;
  std::deque<T> items_;
  std::size_t weight_ = 0;
  bool closed_ = false;
  wait_list<send_await> senders_;
  wait_list<receive_await> receivers_;
};

}  // namespace strata::async
