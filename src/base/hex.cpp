#include "base/hex.hpp"

namespace strata::base {

std::string to_hex(byte_view data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const auto octet : data) {
    out.push_back(digits[octet >> 4]);
    out.push_back(digits[octet & 15]);
  }
  return out;
}

std::optional<bytes> from_hex(std::string_view text) {
  bytes out;
  int high = -1;
  for (const char c : text) {
    if ((c == ' ' || c == '\n' || c == '\r' || c == '\t') && high < 0) continue;
    int digit;
    if (c >= '0' && c <= '9') digit = c - '0';
    else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    else return std::nullopt;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return out;
}

}  // namespace strata::base
