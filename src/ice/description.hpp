// What one side says about itself before checks can begin (RFC 8445 §5.3, RFC 8839 §5.3–5.6).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace strata::ice {

struct description {
  std::string ufrag, pwd;
  bool lite = false;                          // a=ice-lite: never sends a check
  bool trickle = true;                        // ice-options:trickle
  bool ice2 = true;                           // ice-options:ice2: RFC 8445, nominates regularly
  bool renomination = false;                  // ice-options:renomination: the pair may be chosen anew, again and again
  std::optional<base::duration> pacing = {};  // a=ice-pacing; RFC 8445 §14.2: absent means 50 ms

  friend bool operator==(const description&, const description&) = default;
};

// RFC 8445 §5.3: at least 24 random bits in the fragment and 128 in the password; RFC 8839 §5.4: and room for no fewer
// than 4 and 22 characters. This makes 48 and 144 bits of the 24 bytes given.
inline constexpr std::size_t description_random_bytes = 24;
[[nodiscard]] description make_description(base::byte_view random);

// RFC 8839 §5.4: 4–256 and 22–256 ice-chars.
[[nodiscard]] bool is_valid_ufrag(std::string_view text) noexcept;
[[nodiscard]] bool is_valid_pwd(std::string_view text) noexcept;

}  // namespace strata::ice
