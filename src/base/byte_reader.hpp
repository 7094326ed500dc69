// Reads big-endian fields from a borrowed span. Reading past the end gives nullopt and moves nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace strata::base {

class byte_reader {
 public:
  explicit byte_reader(byte_view data) noexcept : data_(data) {}

  [[nodiscard]] std::size_t offset() const noexcept { return at_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return data_.size() - at_; }
  [[nodiscard]] bool empty() const noexcept { return remaining() == 0; }
  [[nodiscard]] byte_view rest() const noexcept { return data_.subspan(at_); }

  std::optional<std::uint8_t> u8() noexcept { return number<std::uint8_t>(1); }
  std::optional<std::uint16_t> u16() noexcept { return number<std::uint16_t>(2); }
  std::optional<std::uint32_t> u24() noexcept { return number<std::uint32_t>(3); }
  std::optional<std::uint32_t> u32() noexcept { return number<std::uint32_t>(4); }
  std::optional<std::uint64_t> u64() noexcept { return number<std::uint64_t>(8); }

  std::optional<byte_view> take(std::size_t count) noexcept {
    if (count > remaining()) return std::nullopt;
    auto view = data_.subspan(at_, count);
    at_ += count;
    return view;
  }
  bool skip(std::size_t count) noexcept { return take(count).has_value(); }

 private:
  template <class T>
  std::optional<T> number(std::size_t size) noexcept {
    if (size > remaining()) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | data_[at_++];
    return static_cast<T>(value);
  }

  byte_view data_;
  std::size_t at_ = 0;
};

}  // namespace strata::base
