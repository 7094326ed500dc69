#include "stun/opaque_string.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "stun/error.hpp"

namespace strata::stun {
namespace {

// Code points that the FreeformClass of RFC 8264 §9 disallows and that no composition could make allowed: controls, what
// Unicode calls default-ignorable, line separators, old Hangul jamo, private use, surrogates, and noncharacters. (U+200C and
// U+200D join letters of several scripts and are allowed in context; they pass.)
constexpr std::array<std::pair<char32_t, char32_t>, 25> disallowed{{
    {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
    {0x1100, 0x11ff}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200b},   {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},   {0xa960, 0xa97c},   {0xd7b0, 0xd7fb},
    {0xd800, 0xf8ff}, {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
}};

bool allowed(char32_t c) noexcept {
  if ((c & 0xfffe) == 0xfffe) return false;  // the last two of every plane
  for (const auto& [first, last] : disallowed) {
    if (c >= first && c <= last) return false;
  }
  return true;
}

// General category Zs
bool is_space(char32_t c) noexcept {
  return c == 0x20 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
}

// One code point of well-formed UTF-8 (RFC 3629: shortest form, no surrogates), or a size of 0.
std::pair<char32_t, std::size_t> decode(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {0, 0};
  char32_t c = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    c = c << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return {0, 0};
  return {c, size};
}

}  // namespace

base::result<std::string> opaque_string(std::string_view text) {
  if (text.empty()) return base::fail(errc::bad_value, 0, "at least one character");
  std::string prepared;
  prepared.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, size] = decode(text.substr(at));
    if (size == 0) return base::fail(errc::bad_value, at, "UTF-8");
    if (is_space(c)) prepared += ' ';
    else if (!allowed(c)) return base::fail(errc::bad_value, at, "a printable character");
    else prepared += text.substr(at, size);
    at += size;
  }
  return prepared;
}

}  // namespace strata::stun
