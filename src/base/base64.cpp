#include "base/base64.hpp"

#include <array>

namespace strata::base {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(byte_view data, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  std::uint32_t pending = 0;
  int bits = 0;
  for (const auto octet : data) {
    pending = pending << 8 | octet;
    bits += 8;
    while (bits >= 6) out.push_back(alphabet[pending >> (bits -= 6) & 63]);
  }
  if (bits > 0) out.push_back(alphabet[pending << (6 - bits) & 63]);
  while (padded && out.size() % 4 != 0) out.push_back('=');
  return out;
}

std::optional<bytes> decode(std::string_view text, std::string_view alphabet) {
  std::array<std::int8_t, 256> value;
  value.fill(-1);
  for (std::size_t i = 0; i < 64; ++i) value[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
  bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = value[static_cast<std::uint8_t>(c)];
    if (digit < 0) return std::nullopt;
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) out.push_back(static_cast<std::uint8_t>(pending >> (bits -= 8)));
  }
  // Six left-over bits are half a byte short; other left-over bits must be zero, or two texts would mean the same.
  if (bits == 6 || (pending & ((1u << bits) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string base64_encode(byte_view data) { return encode(data, standard, true); }
std::string base64url_encode(byte_view data) { return encode(data, url_safe, false); }

std::optional<bytes> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(text, standard);
}

std::optional<bytes> base64url_decode(std::string_view text) { return decode(text, url_safe); }

}  // namespace strata::base
