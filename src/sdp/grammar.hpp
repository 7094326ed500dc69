// The words of RFC 8866 §9 and of the ICE attributes (RFC 8839 §5).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strata::sdp {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digits(std::string_view s) noexcept { return !s.empty() && std::all_of(s.begin(), s.end(), is_digit); }

// token-char: visible ASCII without "(),/:;<=>?@[\]
constexpr bool is_token_char(char c) noexcept {
  return c > 0x20 && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]").find(c) == std::string_view::npos;
}
constexpr bool is_token(std::string_view s) noexcept { return !s.empty() && std::all_of(s.begin(), s.end(), is_token_char); }

// token *( "/" token )
constexpr bool is_protocol(std::string_view s) noexcept {
  for (;;) {
    const auto slash = std::min(s.find('/'), s.size());
    if (!is_token(s.substr(0, slash))) return false;
    if (slash == s.size()) return true;
    s.remove_prefix(slash + 1);
  }
}

// ALPHA / DIGIT / "+" / "/"
constexpr bool is_ice_text(std::string_view s, std::size_t least, std::size_t most) noexcept {
  return s.size() >= least && s.size() <= most &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

// Exactly one space between words; two in a row give an empty word.
inline std::vector<std::string_view> split(std::string_view s, char separator = ' ') {
  std::vector<std::string_view> words;
  for (;;) {
    const auto end = std::min(s.find(separator), s.size());
    words.push_back(s.substr(0, end));
    if (end == s.size()) return words;
    s.remove_prefix(end + 1);
  }
}

template <class Number>
std::optional<Number> parse_number(std::string_view s) noexcept {
  Number n{};
  if (!is_digits(s)) return std::nullopt;
  const auto [end, e] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (e != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return n;
}

// RFC 8841 §5.2 and §6.2: no zeros in front.
template <class Number>
std::optional<Number> parse_plain_number(std::string_view s) noexcept {
  if (s.size() > 1 && s.front() == '0') return std::nullopt;
  return parse_number<Number>(s);
}

}  // namespace strata::sdp
