#include "stun/unknown.hpp"

#include <algorithm>

namespace strata::stun {
namespace {

constexpr std::size_t longest_list = 64;

bool basic(attribute_type t) noexcept {
  switch (t) {
    case attribute_type::mapped_address:
    case attribute_type::username:
    case attribute_type::message_integrity:
    case attribute_type::error_code:
    case attribute_type::unknown_attributes:
    case attribute_type::realm:
    case attribute_type::nonce:
    case attribute_type::message_integrity_sha256:
    case attribute_type::password_algorithm:
    case attribute_type::userhash:
    case attribute_type::xor_mapped_address: return true;
    default: return false;
  }
}

}  // namespace

std::vector<attribute_type> unknown_required(const message_view& m, std::span<const attribute_type> known) {
  std::vector<attribute_type> list;
  for (const auto& a : m) {
    if (a.ignored || !comprehension_required(a.type) || basic(a.type)) continue;
    if (std::ranges::find(known, a.type) != known.end() || std::ranges::find(list, a.type) != list.end()) continue;
    list.push_back(a.type);
    if (list.size() == longest_list) break;
  }
  return list;
}

}  // namespace strata::stun
