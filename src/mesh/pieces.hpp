// Messages cut in pieces and put together again. The pieces of one message may be cut to different sizes: what is sent again
// goes by another path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "base/bytes.hpp"
#include "mesh/frame.hpp"

namespace strata::mesh {

struct piece_bounds {
  std::uint32_t offset = 0, size = 0;
};
// The next piece of a message of `total` octets that was sent up to `offset`. At most `most` octets, which is never taken for
// less than smallest_piece.
piece_bounds next_piece(std::uint32_t total, std::uint32_t offset, std::size_t most) noexcept;

// What a message counts for in a window or a bound: itself, and what is kept about it.
constexpr std::size_t cost_of(std::size_t total) noexcept { return total + 256; }

// Octets that several holders share. Whole messages are paid for when their first piece arrives: two that are half there must
// not wait for each other's room.
class budget {
 public:
  explicit budget(std::size_t limit) noexcept : limit_(limit) {}
  [[nodiscard]] bool take(std::size_t octets) noexcept;
  void give_back(std::size_t octets) noexcept;
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::size_t limit_, used_ = 0;
};

// One message as its pieces arrive, in any order, again and overlapping. What is there already stays.
class assembly {
 public:
  explicit assembly(std::uint32_t total) noexcept : total_(total) {}

  // How many of the octets are new. Those outside the message are not taken.
  std::size_t add(std::uint32_t offset, base::byte_view piece);
  [[nodiscard]] bool whole() const noexcept { return held_ == total_; }
  [[nodiscard]] std::uint32_t total() const noexcept { return total_; }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  [[nodiscard]] base::bytes take();  // when whole

 private:
  std::uint32_t total_;
  std::size_t held_ = 0;
  std::map<std::uint32_t, base::bytes> parts_;  // by offset, never overlapping
};

}  // namespace strata::mesh
