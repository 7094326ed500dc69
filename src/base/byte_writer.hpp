// Appends big-endian fields to an owned buffer; earlier fields (lengths) can be patched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace strata::base {

class byte_writer {
 public:
  explicit byte_writer(bytes& out) noexcept : out_(out) {}

  [[nodiscard]] std::size_t offset() const noexcept { return out_.size(); }

  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u24(std::uint32_t value) { number(value, 3); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void write(byte_view data) { append(out_, data); }
  void fill(std::size_t count, std::uint8_t value = 0) { out_.insert(out_.end(), count, value); }

  void patch_u16(std::size_t at, std::uint16_t value) noexcept {
    out_[at] = static_cast<std::uint8_t>(value >> 8);
    out_[at + 1] = static_cast<std::uint8_t>(value);
  }

 private:
  void number(std::uint64_t value, int size) {
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out_.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  bytes& out_;
};

}  // namespace strata::base
