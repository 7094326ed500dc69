// The nonce cookie (RFC 8489 §9.2): a NONCE that begins with "obMatJos2" goes on with four base64 characters, 24 bits of
// security features that an attacker in the middle cannot strip without being seen.
//
// The bits are numbered two ways in the field. RFC 8489 §18.1 counts from the left (password algorithms is the top bit); its
// own example in appendix B.1, and libjuice, count from the right. Reading accepts either; writing sets both.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strata::stun {

struct security_features {
  bool password_algorithms = false;
  bool username_anonymity = false;
  friend bool operator==(const security_features&, const security_features&) = default;
};

inline constexpr std::string_view nonce_cookie = "obMatJos2";

// nullopt: no cookie, so the server speaks RFC 5389 or earlier.
[[nodiscard]] std::optional<security_features> read_nonce_cookie(std::string_view nonce);
// The 13 characters to begin a nonce with.
[[nodiscard]] std::string make_nonce_cookie(security_features f);

}  // namespace strata::stun
