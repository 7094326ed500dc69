// Tokens: any text, and header and claims of any content under a right signature. What is accepted is signed and accepted
// again.
#include "registry/jwt.hpp"

#include "base/base64.hpp"
#include "check.hpp"
#include "crypto/hmac.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = base::to_bytes(std::string_view("a key of at least thirty-two bytes"));
  const base::wall_time now{std::chrono::seconds(1'700'000'000)};
  const auto text = base::as_text({data, size});
  STRATA_FUZZ_CHECK(!registry::verify_token(text, key, now));  // nobody guesses a signature

  // "header\nclaims", signed as the registry would.
  const auto cut = text.find('\n');
  if (cut == text.npos) return 0;
  auto token = base::base64url_encode(base::as_bytes(text.substr(0, cut))) + "." +
               base::base64url_encode(base::as_bytes(text.substr(cut + 1)));
  token += "." + base::base64url_encode(crypto::hmac_sha256(key, base::as_bytes(token)));
  if (const auto c = registry::verify_token(token, key, now)) {
    STRATA_FUZZ_CHECK(c->exp + registry::clock_leeway >= registry::unix_seconds(now));
    const auto again = registry::verify_token(registry::sign_token(*c, key), key, now);
    STRATA_FUZZ_CHECK(again && again->sub == c->sub && again->role == c->role && again->exp == c->exp);
  }
  return 0;
}
