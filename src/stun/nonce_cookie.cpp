#include "stun/nonce_cookie.hpp"

#include <array>

#include "base/base64.hpp"

namespace strata::stun {

std::optional<security_features> read_nonce_cookie(std::string_view nonce) {
  if (!nonce.starts_with(nonce_cookie) || nonce.size() < nonce_cookie.size() + 4) return std::nullopt;
  const auto bits = base::base64_decode(nonce.substr(nonce_cookie.size(), 4));
  if (!bits || bits->size() != 3) return std::nullopt;
  return security_features{((*bits)[0] & 0x80) != 0 || ((*bits)[2] & 0x01) != 0,
                           ((*bits)[0] & 0x40) != 0 || ((*bits)[2] & 0x02) != 0};
}

std::string make_nonce_cookie(security_features f) {
  const std::array bits{static_cast<std::uint8_t>((f.password_algorithms ? 0x80 : 0) | (f.username_anonymity ? 0x40 : 0)),
                        std::uint8_t{0},
                        static_cast<std::uint8_t>((f.password_algorithms ? 0x01 : 0) | (f.username_anonymity ? 0x02 : 0))};
  return std::string(nonce_cookie) + base::base64_encode(bits);
}

}  // namespace strata::stun
