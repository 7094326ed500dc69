// UTF-8 checked as it arrives (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace strata::base {

class utf8_checker {
 public:
  // False from the first octet that cannot continue what came before.
  bool feed(byte_view data) noexcept {
    for (const auto octet : data)
      if (!step(octet)) return false;
    return true;
  }
  // No character is cut off at the end.
  [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

 private:
  bool step(std::uint8_t c) noexcept {
    if (missing_ != 0) {
      if (c < low_ || c > high_) return false;
      low_ = 0x80;
      high_ = 0xbf;
      --missing_;
      return true;
    }
    if (c < 0x80) return true;
    if (c < 0xc2 || c > 0xf4) return false;  // continuation, overlong, or too large
    missing_ = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    // The second octet is where overlong forms, surrogates and too large numbers show.
    low_ = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    high_ = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  std::uint8_t missing_ = 0;
  std::uint8_t low_ = 0x80, high_ = 0xbf;  // bounds of the next octet
};

[[nodiscard]] inline bool is_utf8(byte_view data) noexcept {
  utf8_checker c;
  return c.feed(data) && c.complete();
}

}  // namespace strata::base
