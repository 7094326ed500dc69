// JSON Web Tokens, one algorithm only (RFC 7519, RFC 8725 §3.1): HS256 with a key of ours. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/stored.hpp"

namespace strata::registry {

enum class jwt_errc {
  malformed = 1,
  bad_header,
  wrong_algorithm,
  critical_header,
  bad_signature,
  bad_claims,
  expired,
  not_yet_valid
};
std::error_code make_error_code(jwt_errc e) noexcept;

struct claims {
  std::string sub;  // peer id
  std::string role;
  std::int64_t iat = 0, exp = 0;  // seconds since 1970
};

inline constexpr auto token_lifetime = std::chrono::seconds(300);
inline constexpr std::int64_t clock_leeway = 60;  // seconds that an expired token is still taken (RFC 7519 §4.1.4)
inline constexpr std::size_t shortest_key = 32;   // bytes: RFC 8725 §3.5, RFC 7518 §3.2

std::string sign_token(const claims& c, base::byte_view key);
base::result<claims> verify_token(std::string_view token, base::byte_view key, base::wall_time now);

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::jwt_errc> : std::true_type {};
