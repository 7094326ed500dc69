#include "registry/jwt.hpp"

#include <array>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "crypto/hmac.hpp"

namespace strata::registry {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "jwt"; }
  std::string message(int value) const override {
    switch (static_cast<jwt_errc>(value)) {
      case jwt_errc::malformed: return "not a compact JWT";
      case jwt_errc::bad_header: return "the token's header is not understood";
      case jwt_errc::wrong_algorithm: return "the token's algorithm is not HS256";
      case jwt_errc::critical_header: return "the token demands extensions that are not supported";
      case jwt_errc::bad_signature: return "the token's signature does not match";
      case jwt_errc::bad_claims: return "the token's claims are missing or of the wrong kind";
      case jwt_errc::expired: return "the token has expired";
      case jwt_errc::not_yet_valid: return "the token is not valid yet";
    }
    return "unknown error";
  }
};

constexpr std::size_t longest_token = 4096;

std::array<std::uint8_t, 32> signature_of(std::string_view signed_part, base::byte_view key) {
  const base::byte_view part = base::as_bytes(signed_part);
  return crypto::hmac_sha256(key, std::span(&part, 1));
}

base::result<base::json> decode_part(std::string_view text) {
  const auto octets = base::base64url_decode(text);
  if (!octets) return base::fail(jwt_errc::malformed, base::error::nowhere, "base64url without padding");
  auto v = base::json::parse(base::as_text(*octets));
  if (!v || !v->is_object()) return base::fail(jwt_errc::malformed, base::error::nowhere, "a JSON object");
  // RFC 7519 §4: names are unique; two readings of one token are one too many.
  const auto& members = *v->as_object();
  for (std::size_t i = 0; i < members.size(); ++i)
    for (std::size_t j = i + 1; j < members.size(); ++j)
      if (members[i].first == members[j].first) return base::fail(jwt_errc::malformed, base::error::nowhere, "unique names");
  return v;
}

// RFC 7519 §2 NumericDate: a JSON number, fractions allowed.
std::optional<std::int64_t> numeric_date(const base::json& v, std::string_view name) {
  const auto* f = v.find(name);
  const auto n = f != nullptr ? f->as_double() : std::nullopt;
  if (!n || !(*n >= 0 && *n < 1e12)) return std::nullopt;
  return static_cast<std::int64_t>(*n);
}

}  // namespace

std::error_code make_error_code(jwt_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string sign_token(const claims& c, base::byte_view key) {
  const auto header = base::json::make({{"typ", "JWT"}, {"alg", "HS256"}});
  const auto body = base::json::make({{"sub", c.sub}, {"role", c.role}, {"iat", c.iat}, {"exp", c.exp}});
  auto token =
      base::base64url_encode(base::as_bytes(header.dump())) + "." + base::base64url_encode(base::as_bytes(body.dump()));
  return token + "." + base::base64url_encode(signature_of(token, key));
}

base::result<claims> verify_token(std::string_view token, base::byte_view key, base::wall_time now) {
  // RFC 7519 §7.2, step by step; the first failure ends it.
  if (token.size() > longest_token) return base::fail(jwt_errc::malformed, longest_token, "at most 4096 characters");
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos)
    return base::fail(jwt_errc::malformed, base::error::nowhere, "three parts");

  const auto header = decode_part(token.substr(0, first));
  if (!header) return base::fail(header.error());
  // RFC 8725 §3.1: the algorithm is ours to choose, the header may only agree.
  if (header->text("alg") != "HS256") return base::fail(jwt_errc::wrong_algorithm, base::error::nowhere, "HS256");
  if (header->find("crit") != nullptr) return base::fail(jwt_errc::critical_header);
  if (const auto* typ = header->find("typ"); typ != nullptr && (typ->as_string() == nullptr || *typ->as_string() != "JWT"))
    return base::fail(jwt_errc::bad_header, base::error::nowhere, "typ JWT");

  const auto given = base::base64url_decode(token.substr(second + 1));
  if (!given || given->size() != 32) return base::fail(jwt_errc::bad_signature);
  if (!crypto::constant_time_equal(signature_of(token.substr(0, second), key), *given))
    return base::fail(jwt_errc::bad_signature);

  const auto body = decode_part(token.substr(first + 1, second - first - 1));
  if (!body) return base::fail(body.error());
  claims c;
  c.sub = body->text("sub");
  c.role = body->text("role");
  const auto iat = numeric_date(*body, "iat");
  const auto exp = numeric_date(*body, "exp");
  if (c.sub.empty() || c.role.empty() || !iat || !exp)
    return base::fail(jwt_errc::bad_claims, base::error::nowhere, "sub, role, iat and exp");
  c.iat = *iat;
  c.exp = *exp;
  const auto seconds = unix_seconds(now);
  if (seconds >= c.exp + clock_leeway) return base::fail(jwt_errc::expired);
  if (c.iat > seconds + clock_leeway) return base::fail(jwt_errc::not_yet_valid);
  if (const auto* nbf = body->find("nbf")) {
    const auto from = numeric_date(*body, "nbf");
    if (!from || nbf->is_null()) return base::fail(jwt_errc::bad_claims, base::error::nowhere, "nbf as a number");
    if (*from > seconds + clock_leeway) return base::fail(jwt_errc::not_yet_valid);
  }
  return c;
}

}  // namespace strata::registry
