// The codes that people read aloud: how they are made, and how they are understood. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/certificate.hpp"

namespace strata::registry {

enum class code_kind : std::uint8_t {
  eight_characters,  // 40 bits; no I, L, O, U, and those who write them are understood
  six_digits         // what clients of the older protocol insist on
};

[[nodiscard]] std::string make_code(code_kind k, const crypto::random_source& random);  // each equally likely
// The code as it was made, from the way somebody wrote it: in lower case, with a hyphen or spaces, O for 0. Six digits are
// taken as they are. Nothing when it can be no code.
[[nodiscard]] std::optional<std::string> read_code(code_kind k, std::string_view text);

}  // namespace strata::registry
