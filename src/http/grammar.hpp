// The characters of RFC 9110 §5.6 and the comparisons made of them. ASCII only, no locale.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strata::http {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// RFC 9110 §5.6.2 tchar
constexpr bool is_token_char(char c) noexcept {
  return is_digit(c) || is_alpha(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
constexpr bool is_token(std::string_view s) noexcept { return !s.empty() && std::all_of(s.begin(), s.end(), is_token_char); }

// RFC 9110 §5.5: visible characters, space, tab, and octets above ASCII that mean nothing to us.
constexpr bool is_field_value_char(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return u == '\t' || (u >= 0x20 && u != 0x7f);
}
constexpr bool is_field_value(std::string_view s) noexcept { return std::all_of(s.begin(), s.end(), is_field_value_char); }

constexpr std::string_view trim(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::optional<std::uint8_t> hex_value(char c) noexcept {
  if (is_digit(c)) return static_cast<std::uint8_t>(c - '0');
  const char l = lower(c);
  if (l >= 'a' && l <= 'f') return static_cast<std::uint8_t>(l - 'a' + 10);
  return std::nullopt;
}

// Calls f with each element of a comma-separated list (RFC 9110 §5.6.1), empty ones left out.
template <class F>
void for_each_element(std::string_view list, F f) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto element = trim(list.substr(0, comma)); !element.empty()) f(element);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace strata::http
