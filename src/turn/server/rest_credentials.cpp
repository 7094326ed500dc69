#include "turn/server/rest_credentials.hpp"

#include <charconv>

#include "base/base64.hpp"
#include "crypto/hmac.hpp"

namespace strata::turn::server {

std::optional<rest_username> rest_username::parse(std::string_view username) noexcept {
  const auto colon = username.find(':');
  const auto digits = username.substr(0, colon);
  rest_username r;
  const auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), r.expires);
  if (trouble != std::errc() || end != digits.data() + digits.size() || r.expires < 0) return std::nullopt;
  if (colon != std::string_view::npos) r.user = username.substr(colon + 1);
  return r;
}

std::string rest_password(std::string_view secret, std::string_view username) {
  return base::base64_encode(crypto::hmac_sha1(base::as_bytes(secret), base::as_bytes(username)));
}

}  // namespace strata::turn::server
