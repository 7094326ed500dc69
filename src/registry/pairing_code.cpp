#include "registry/pairing_code.hpp"

#include <algorithm>
#include <array>

namespace strata::registry {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t length = 8;
constexpr std::size_t longest_written = 32;

std::string six_digits(const crypto::random_source& random) {
  // 2^32 is no multiple of a million: what lies above the last whole one would make some codes likelier than others.
  constexpr std::uint32_t below = 4'294'000'000;
  for (;;) {
    std::array<std::uint8_t, 4> octets;
    random(octets);
    std::uint32_t n = 0;
    for (const auto o : octets) n = n << 8 | o;
    if (n >= below) continue;
    auto digits = std::to_string(n % 1'000'000);
    return std::string(6 - digits.size(), '0') + digits;
  }
}

}  // namespace

std::string make_code(code_kind k, const crypto::random_source& random) {
  if (k == code_kind::six_digits) return six_digits(random);
  std::array<std::uint8_t, 5> octets;
  random(octets);
  std::uint64_t bits = 0;
  for (const auto o : octets) bits = bits << 8 | o;
  std::string code;
  for (std::size_t i = 0; i < length; ++i, bits >>= 5) code.push_back(alphabet[bits & 31]);
  return code;
}

std::optional<std::string> read_code(code_kind k, std::string_view text) {
  if (k == code_kind::six_digits) {
    const bool good = text.size() == 6 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return good ? std::optional(std::string(text)) : std::nullopt;
  }
  if (text.size() > longest_written) return std::nullopt;
  std::string code;
  for (char c : text) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (alphabet.find(c) == alphabet.npos) return std::nullopt;
    code.push_back(c);
  }
  return code.size() == length ? std::optional(std::move(code)) : std::nullopt;
}

}  // namespace strata::registry
