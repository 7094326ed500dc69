#include "registry/jwt.hpp"

#include <algorithm>
#include <set>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/json.hpp"
#include "crypto/hmac.hpp"
#include "registry/revocations.hpp"
#include "registry/stored.hpp"

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
      case jwt_errc::unknown_key: return "the token names a key that is not ours, or no longer";
      case jwt_errc::bad_signature: return "the token's signature does not match";
      case jwt_errc::bad_claims: return "the token's claims are missing or of the wrong kind";
      case jwt_errc::wrong_issuer: return "the token is from somebody else";
      case jwt_errc::wrong_audience: return "the token is for somebody else";
      case jwt_errc::expired: return "the token has expired";
      case jwt_errc::not_yet_valid: return "the token is not valid yet";
      case jwt_errc::revoked: return "the token was revoked";
      case jwt_errc::short_secret: return "the secret is too short: at least 32 octets";
      case jwt_errc::too_many_secrets: return "the secret was changed too often; the earlier ones must retire first";
      case jwt_errc::no_secret: return "there is no secret to sign with";
    }
    return "unknown error";
  }
};

// Beyond it a time does not fit into nanoseconds since 1970.
constexpr double latest_date = 9e9;
constexpr std::size_t longest_jti = 64;

base::result<base::json> decode_part(std::string_view text) {
  const auto octets = base::base64url_decode(text);
  if (!octets) return base::fail(jwt_errc::malformed, base::error::nowhere, "base64url without padding");
  const auto json = base::as_text(*octets);
  // The parser would pass over a byte order mark and space around the object, and one token could be written in many ways.
  if (!json.starts_with('{') || !json.ends_with('}'))
    return base::fail(jwt_errc::malformed, base::error::nowhere, "a JSON object and nothing around it");
  auto v = base::json::parse(json);
  if (!v || !v->is_object()) return base::fail(jwt_errc::malformed, base::error::nowhere, "a JSON object");
  return v;
}

// RFC 7519 §4, RFC 7515 §4: names are unique; two readings of one token are one too many.
bool names_are_unique(const base::json& object) {
  std::set<std::string_view> names;
  return std::ranges::all_of(*object.as_object(), [&](const auto& m) { return names.insert(m.first).second; });
}

// RFC 7515 §4.1.11 and RFC 8725 §3.10: only what we write ourselves is understood. So nothing in a header can point to a key
// (jku, x5u), bring one (jwk, x5c), change what was signed (b64, zip) or nest another token (cty).
base::result<std::string> kid_in(std::string_view part) {
  const auto header = decode_part(part);
  if (!header) return base::fail(header.error());
  if (!names_are_unique(*header)) return base::fail(jwt_errc::malformed, base::error::nowhere, "unique names");
  // RFC 8725 §3.1: the algorithm is ours to choose, the header may only agree.
  if (header->text("alg") != "HS256") return base::fail(jwt_errc::wrong_algorithm, base::error::nowhere, "HS256");
  if (header->find("crit") != nullptr) return base::fail(jwt_errc::critical_header);
  if (header->text("typ") != "JWT") return base::fail(jwt_errc::bad_header, base::error::nowhere, "typ JWT");
  if (header->find("kid") == nullptr || header->as_object()->size() != 3)
    return base::fail(jwt_errc::bad_header, base::error::nowhere, "alg, typ and kid only");
  return std::string(header->text("kid"));
}

// RFC 7519 §2 NumericDate: a JSON number, fractions allowed.
std::optional<std::int64_t> numeric_date(const base::json& v, std::string_view name) {
  const auto* f = v.find(name);
  const auto n = f != nullptr ? f->as_double() : std::nullopt;
  if (!n || !(*n >= 0 && *n <= latest_date)) return std::nullopt;
  return static_cast<std::int64_t>(*n);
}

// RFC 7519 §4.1.3: a text, or an array of texts of which one is ours.
std::optional<bool> names_audience(const base::json* aud, std::string_view ours) {
  if (aud == nullptr) return std::nullopt;
  if (const auto* one = aud->as_string()) return *one == ours;
  const auto* list = aud->as_array();
  if (list == nullptr || !std::ranges::all_of(*list, &base::json::is_string)) return std::nullopt;
  return std::ranges::any_of(*list, [&](const base::json& each) { return *each.as_string() == ours; });
}

}  // namespace

std::error_code make_error_code(jwt_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string token_keys::kid_of(base::byte_view secret) {
  return base::to_hex(crypto::hmac_sha256(secret, base::as_bytes("strata token key"))).substr(0, 16);
}

store::change token_keys::change(const secret& s) {
  auto v = base::json::make({{"secret", base::to_hex(s.octets)}, {"since", unix_seconds(s.since)}});
  if (s.retires) v.set("retires", unix_seconds(*s.retires));
  return {std::string(table), s.kid, v.dump()};
}

const token_keys::secret* token_keys::current() const noexcept {
  const auto at = std::ranges::find_if(secrets_, [](const secret& s) { return !s.retires; });
  return at != secrets_.end() ? &*at : nullptr;
}

const token_keys::secret* token_keys::named(std::string_view kid, base::wall_time now) const noexcept {
  const auto at = std::ranges::find(secrets_, kid, &secret::kid);
  return at != secrets_.end() && (!at->retires || now < *at->retires) ? &*at : nullptr;
}

base::result<void> token_keys::load(std::span<const store::record> records) {
  std::vector<secret> fresh;
  for (const auto& r : records) {
    stored_reader v(r.value);
    const auto octets = base::from_hex(v.text("secret"));
    secret s{r.name, octets.value_or(base::bytes()), v.time("since"), v.time_if_there("retires")};
    const bool second = !s.retires && std::ranges::any_of(fresh, [](const secret& f) { return !f.retires; });
    if (!v.good() || s.octets.size() < shortest_key || kid_of(s.octets) != s.kid || second)
      return base::fail(stored_errc::damaged, base::error::nowhere, "a token key");
    fresh.push_back(std::move(s));
  }
  secrets_ = std::move(fresh);
  return {};
}

base::result<store::changes> token_keys::use(base::byte_view octets, base::wall_time now) {
  if (octets.size() < shortest_key) return base::fail(jwt_errc::short_secret);
  store::changes out = sweep(now);
  const auto kid = kid_of(octets);
  const auto* signing = current();
  if (signing != nullptr && signing->kid == kid) return out;
  const auto again = std::ranges::find(secrets_, kid, &secret::kid);
  if (again == secrets_.end() && secrets_.size() > most_previous) return base::fail(jwt_errc::too_many_secrets);
  for (auto& s : secrets_)
    if (!s.retires) {
      s.retires = now + token_lifetime + std::chrono::seconds(clock_leeway);
      out.push_back(change(s));
    }
  if (again != secrets_.end()) {
    again->since = now;
    again->retires.reset();
    out.push_back(change(*again));
  } else {
    out.push_back(change(secrets_.emplace_back(kid, base::to_bytes(octets), now, std::nullopt)));
  }
  return out;
}

bool token_keys::rotation_due(base::wall_time now) const {
  const auto* signing = current();
  return signing == nullptr || now - signing->since >= rotation_period;
}

store::changes token_keys::forget_previous() {
  store::changes gone;
  std::erase_if(secrets_, [&](const secret& s) {
    if (!s.retires) return false;
    gone.push_back({std::string(table), s.kid, std::nullopt});
    return true;
  });
  return gone;
}

store::changes token_keys::sweep(base::wall_time now) {
  store::changes gone;
  std::erase_if(secrets_, [&](const secret& s) {
    if (!s.retires || now < *s.retires) return false;
    gone.push_back({std::string(table), s.kid, std::nullopt});
    return true;
  });
  return gone;
}

base::result<token_keys::issued> token_keys::issue(const identity& who, base::wall_time now,
                                                   std::span<const std::uint8_t, 16> random) const {
  const auto* signing = current();
  if (signing == nullptr) return base::fail(jwt_errc::no_secret);
  const auto iat = unix_seconds(now);
  issued out{{}, {who.peer_id, who.role, base::to_hex(random), iat, iat + token_lifetime.count()}};
  const auto& c = out.claims;
  const auto header = base::json::make({{"typ", "JWT"}, {"alg", "HS256"}, {"kid", signing->kid}});
  const auto body = base::json::make({{"sub", c.sub},
                                      {"role", to_string(c.role)},
                                      {"iat", c.iat},
                                      {"nbf", c.iat},
                                      {"exp", c.exp},
                                      {"iss", issuer_},
                                      {"aud", audience_},
                                      {"jti", c.jti}});
  out.token = base::base64url_encode(base::as_bytes(header.dump())) + "." + base::base64url_encode(base::as_bytes(body.dump()));
  out.token += "." + base::base64url_encode(crypto::hmac_sha256(signing->octets, base::as_bytes(out.token)));
  return out;
}

base::result<claims> token_keys::verify(std::string_view token, base::wall_time now, const revocations& revoked) const {
  // RFC 7519 §7.2, step by step; the first failure ends it.
  if (token.size() > longest_token) return base::fail(jwt_errc::malformed, longest_token, "at most 2048 characters");
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos)
    return base::fail(jwt_errc::malformed, base::error::nowhere, "three parts");

  const auto kid = kid_in(token.substr(0, first));
  if (!kid) return base::fail(kid.error());
  // The kid is compared with the names of our own secrets and used for nothing else.
  const auto* key = named(*kid, now);
  if (key == nullptr) return base::fail(jwt_errc::unknown_key);
  const auto given = base::base64url_decode(token.substr(second + 1));
  if (!given || !crypto::constant_time_equal(crypto::hmac_sha256(key->octets, base::as_bytes(token.substr(0, second))), *given))
    return base::fail(jwt_errc::bad_signature);

  auto c = read_claims(token.substr(first + 1, second - first - 1), now);
  if (c && revoked.cover(*c)) return base::fail(jwt_errc::revoked);
  return c;
}

base::result<claims> token_keys::read_claims(std::string_view part, base::wall_time now) const {
  const auto body = decode_part(part);
  if (!body) return base::fail(body.error());
  if (!names_are_unique(*body)) return base::fail(jwt_errc::malformed, base::error::nowhere, "unique names");
  const auto wrong = [](std::string_view expected) { return base::fail(jwt_errc::bad_claims, base::error::nowhere, expected); };
  if (body->find("iss") == nullptr || !body->find("iss")->is_string()) return wrong("iss as a text");
  if (body->text("iss") != issuer_) return base::fail(jwt_errc::wrong_issuer);
  const auto for_us = names_audience(body->find("aud"), audience_);
  if (!for_us) return wrong("aud as a text or texts");
  if (!*for_us) return base::fail(jwt_errc::wrong_audience);

  claims c;
  c.sub = body->text("sub");
  c.jti = body->text("jti");
  const auto r = role_from_name(body->text("role"));
  if (!valid_member_id(c.sub)) return wrong("sub as a peer id");  // RFC 8725 §3.8
  if (!r) return wrong("a role");
  if (c.jti.empty() || c.jti.size() > longest_jti) return wrong("jti");
  const auto iat = numeric_date(*body, "iat"), nbf = numeric_date(*body, "nbf"), exp = numeric_date(*body, "exp");
  if (!iat || !nbf || !exp) return wrong("iat, nbf and exp as numbers");
  c.role = *r;
  c.iat = *iat;
  c.exp = *exp;
  // Longer than we ever give: such a token would outlive its revocation.
  if (c.exp <= c.iat || c.exp - c.iat > token_lifetime.count()) return wrong("exp at most 300 s after iat");
  const auto seconds = unix_seconds(now);
  if (seconds >= c.exp + clock_leeway) return base::fail(jwt_errc::expired);
  if (std::max(c.iat, *nbf) > seconds + clock_leeway) return base::fail(jwt_errc::not_yet_valid);
  return c;
}

}  // namespace strata::registry
