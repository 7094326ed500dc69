// What may be in the body of POST /api/pairing/pair.
#include <algorithm>
#include <array>

#include "registry/pairing.hpp"

namespace strata::registry {
namespace {

constexpr std::size_t longest_name = 64;  // octets

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(space);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(space) - first + 1);
}

// An admin decides by reading this name, so nothing may be in it that is not seen: control characters, and what turns the
// writing around or has no width (Unicode TR 36 §2.10).
bool can_be_read(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> unseen{{
      {"\u0080", "\u009f"},  // control characters again
      {"\u00ad", "\u00ad"},  // soft hyphen
      {"\u061c", "\u061c"},  // Arabic letter mark
      {"\u200b", "\u200f"},  // no width; marks of direction
      {"\u2028", "\u202e"},  // line ends; embeddings and overrides
      {"\u2060", "\u206f"},  // joiners, isolates
  }};
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return false;
  if (name.find("\ufeff") != name.npos) return false;
  // UTF-8 keeps the order of the characters, so a range of them is a range of octet sequences.
  for (std::size_t i = 0; i < name.size(); ++i)
    for (const auto& [first, last] : unseen)
      if (const auto here = name.substr(i, first.size()); here >= first && here <= last) return false;
  return true;
}

}  // namespace

base::result<redemption> read_redemption(const base::json& body, code_kind k) {
  const auto* code = body.find("code");
  const auto* name = body.find("agent_name");
  if (code == nullptr || code->as_string() == nullptr || name == nullptr || name->as_string() == nullptr)
    return base::fail(pairing_errc::bad_body, base::error::nowhere, "code and agent_name as texts");
  const auto read = read_code(k, *code->as_string());
  if (!read)
    return base::fail(pairing_errc::bad_code, base::error::nowhere,
                      k == code_kind::six_digits ? "exactly 6 digits" : "8 letters and digits");
  redemption r{*read, std::string(trimmed(*name->as_string())), {}};
  if (r.agent_name.empty()) return base::fail(pairing_errc::bad_name);
  if (r.agent_name.size() > longest_name || !can_be_read(r.agent_name))
    return base::fail(pairing_errc::bad_name, base::error::nowhere, "at most 64 octets, all of them visible");
  if (const auto* claim = body.find("claim_hash")) {
    r.claim = claim->as_string() != nullptr ? digest_from_hex(*claim->as_string()) : std::nullopt;
    if (!r.claim) return base::fail(pairing_errc::bad_claim, base::error::nowhere, "a SHA-256 in hexadecimal");
  } else if (k != code_kind::six_digits) {
    return base::fail(pairing_errc::bad_claim, base::error::nowhere, "a SHA-256 in hexadecimal");
  }
  return r;
}

}  // namespace strata::registry
