#include "sdp/ice_attributes.hpp"

#include "base/ip_address.hpp"
#include "sdp/grammar.hpp"

namespace strata::sdp {

bool is_ice_ufrag(std::string_view text) noexcept { return is_ice_text(text, 4, 256); }
bool is_ice_pwd(std::string_view text) noexcept { return is_ice_text(text, 22, 256); }

std::optional<std::vector<std::string>> parse_ice_options(std::string_view text) {
  std::vector<std::string> found;
  for (const auto group : split(text))
    // libdatachannel separates options with commas.
    for (const auto word : split(group, ',')) {
      // Options in the field have other characters than ice-chars ("renomination", "x-foo.bar"): any token will do.
      if (!is_token(word) && !is_ice_text(word, 1, 256)) return std::nullopt;
      found.emplace_back(word);
    }
  return found;
}

std::optional<std::uint32_t> parse_ice_pacing(std::string_view text) {
  return text.size() <= 10 ? parse_number<std::uint32_t>(text) : std::nullopt;
}

bool is_remote_candidates(std::string_view text) {
  const auto words = split(text);
  if (words.size() % 3 != 0) return false;
  for (std::size_t i = 0; i < words.size(); i += 3) {
    const auto component = parse_number<std::uint32_t>(words[i]);
    if (!component || *component < 1 || *component > 256 || words[i + 1].empty() || !parse_number<std::uint16_t>(words[i + 2]))
      return false;
  }
  return true;
}

}  // namespace strata::sdp
