// Credentials that a web service hands out without telling the TURN server (draft-uberti-behave-turn-rest): both know a
// secret; the username says until when it is good and whose it is, the password proves that the secret's owner wrote that.
//
//   username = "<seconds since 1970>[:<user>]"      password = base64(HMAC-SHA1(secret, username))
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strata::turn::server {

struct rest_username {
  std::int64_t expires = 0;  // seconds since 1970
  std::string_view user;     // borrowed; opaque

  // nullopt: no such name, for example that of a user with a password of his own.
  static std::optional<rest_username> parse(std::string_view username) noexcept;
};

[[nodiscard]] std::string rest_password(std::string_view secret, std::string_view username);

}  // namespace strata::turn::server
