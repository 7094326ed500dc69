#include "ice/description.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "ice/candidate_text.hpp"

namespace strata::ice {
namespace {

// 64 ice-chars: six bits each, without a remainder that would favour some of them.
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string characters(base::byte_view random) {
  std::string text;
  for (std::size_t i = 0; i + 3 <= random.size(); i += 3) {
    const auto bits = static_cast<unsigned>(random[i]) << 16 | static_cast<unsigned>(random[i + 1]) << 8 | random[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text += alphabet[bits >> shift & 63];
  }
  return text;
}

bool is_token(std::string_view text, std::size_t least) {
  return text.size() >= least && text.size() <= 256 && std::ranges::all_of(text, is_ice_char);
}

}  // namespace

description make_description(base::byte_view random) {
  assert(random.size() == description_random_bytes);
  return {.ufrag = characters(random.first(6)), .pwd = characters(random.subspan(6))};
}

bool is_valid_ufrag(std::string_view text) noexcept { return is_token(text, 4); }
bool is_valid_pwd(std::string_view text) noexcept { return is_token(text, 22); }

}  // namespace strata::ice
