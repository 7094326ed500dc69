// Datagrams or records that wait for somebody, within a bound: whoever sends them has not proved who it is yet.
#pragma once

#include <deque>

#include "base/bytes.hpp"

namespace strata::dtls {

class inbox {
 public:
  // The largest flight of a handshake is a few kilobytes; retransmissions of it may be queued behind.
  static constexpr std::size_t most_bytes = 64 * 1024;
  static constexpr std::size_t most_entries = 64;

  [[nodiscard]] bool push(base::byte_view data) {
    if (entries_.size() == most_entries || bytes_ + data.size() > most_bytes) return false;
    bytes_ += data.size();
    entries_.push_back(base::to_bytes(data));
    return true;
  }
  [[nodiscard]] base::bytes pop() {
    base::bytes first = std::move(entries_.front());
    entries_.pop_front();
    bytes_ -= first.size();
    return first;
  }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  void clear() noexcept {
    entries_.clear();
    entries_.shrink_to_fit();
    bytes_ = 0;
  }
  [[nodiscard]] bool invariant() const noexcept { return bytes_ <= most_bytes && entries_.size() <= most_entries; }

 private:
  std::deque<base::bytes> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace strata::dtls
