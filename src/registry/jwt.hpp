// JSON Web Tokens as this registry makes them, and takes no others (RFC 7519, RFC 8725): HS256, secrets named by kid and
// rotated, one issuer, one audience. Pure: time and random octets are arguments.
//
//   {"typ":"JWT","alg":"HS256","kid":"<16 hex>"}
//   {"sub":"<peer id>","role":"agent","iat":…,"nbf":…,"exp":…,"iss":"…","aud":"…","jti":"<32 hex>"}
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/credentials.hpp"
#include "store/change.hpp"

namespace strata::registry {

enum class jwt_errc {
  malformed = 1,
  bad_header,
  wrong_algorithm,
  critical_header,
  unknown_key,
  bad_signature,
  bad_claims,
  wrong_issuer,
  wrong_audience,
  expired,
  not_yet_valid,
  revoked,
  short_secret,      // ours: under 32 octets
  too_many_secrets,  // ours: rotated faster than the earlier ones retire
  no_secret          // ours: nothing to sign with
};
std::error_code make_error_code(jwt_errc e) noexcept;

struct claims {
  std::string sub;  // peer id
  registry::role role = role::agent;
  std::string jti;
  std::int64_t iat = 0, exp = 0;  // seconds since 1970
};

inline constexpr auto token_lifetime = std::chrono::seconds(300);
// Seconds (RFC 7519 §4.1.4). The clock that checks is the one that issued, so this covers a step of it, not a drift between
// two.
inline constexpr std::int64_t clock_leeway = 5;
inline constexpr std::size_t shortest_key = 32;  // octets: RFC 8725 §3.5, RFC 7518 §3.2
inline constexpr std::size_t longest_token = 2048;

class revocations;

// The secrets behind the tokens. One signs; those before it verify until what they signed has run out.
class token_keys {
 public:
  static constexpr std::string_view table = "token_keys";  // name: kid
  static constexpr std::size_t most_previous = 8;
  static constexpr auto rotation_period = std::chrono::days(30);

  explicit token_keys(std::string issuer = "registryd", std::string audience = "registryd")
      : issuer_(std::move(issuer)), audience_(std::move(audience)) {}

  base::result<void> load(std::span<const store::record> records);
  // This secret signs from now on; the one before it verifies as long as a token of it can be good. That is how a start uses
  // the configured secret and how rotation uses a fresh one. The secret that signs already changes nothing.
  base::result<store::changes> use(base::byte_view secret, base::wall_time now);
  [[nodiscard]] bool rotation_due(base::wall_time now) const;  // also when there is none yet
  // After a leak: every token of the earlier secrets is void at once.
  [[nodiscard]] store::changes forget_previous();
  [[nodiscard]] store::changes sweep(base::wall_time now);

  struct issued {
    std::string token;
    registry::claims claims;
  };
  [[nodiscard]] base::result<issued> issue(const identity& who, base::wall_time now,
                                           std::span<const std::uint8_t, 16> random) const;
  [[nodiscard]] base::result<claims> verify(std::string_view token, base::wall_time now, const revocations& revoked) const;

  // Follows from the secret and tells nothing about it; 16 hexadecimal digits.
  [[nodiscard]] static std::string kid_of(base::byte_view secret);

 private:
  struct secret {
    std::string kid;
    base::bytes octets;
    base::wall_time since{};
    std::optional<base::wall_time> retires;  // nothing: it signs
  };
  static store::change change(const secret& s);
  [[nodiscard]] const secret* current() const noexcept;
  [[nodiscard]] const secret* named(std::string_view kid, base::wall_time now) const noexcept;
  [[nodiscard]] base::result<claims> read_claims(std::string_view part, base::wall_time now) const;

  std::string issuer_, audience_;
  std::vector<secret> secrets_;
};

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::jwt_errc> : std::true_type {};
