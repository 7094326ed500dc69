// Tokens: any text, and header and claims of any content under a right signature. What is accepted is issued and accepted
// again.
#include "registry/jwt.hpp"

#include "base/base64.hpp"
#include "check.hpp"
#include "crypto/hmac.hpp"
#include "registry/revocations.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto secret = base::to_bytes(std::string_view("a key of at least thirty-two bytes"));
  static const registry::revocations nobody;
  const base::wall_time now{std::chrono::seconds(1'700'000'000)};
  static const auto tokens = [&] {
    registry::token_keys t;
    STRATA_FUZZ_CHECK(t.use(secret, now));
    return t;
  }();
  const auto text = base::as_text({data, size});
  STRATA_FUZZ_CHECK(!tokens.verify(text, now, nobody));  // nobody guesses a signature

  // "header\nclaims", signed as the registry would.
  const auto cut = text.find('\n');
  if (cut == text.npos) return 0;
  auto token = base::base64url_encode(base::as_bytes(text.substr(0, cut))) + "." +
               base::base64url_encode(base::as_bytes(text.substr(cut + 1)));
  token += "." + base::base64url_encode(crypto::hmac_sha256(secret, base::as_bytes(token)));
  if (const auto c = tokens.verify(token, now, nobody)) {
    const auto unix_now = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    STRATA_FUZZ_CHECK(c->exp + registry::clock_leeway >= unix_now);
    const auto issued = tokens.issue({c->sub, c->role}, now, std::array<std::uint8_t, 16>{});
    STRATA_FUZZ_CHECK(issued);
    const auto again = tokens.verify(issued->token, now, nobody);
    STRATA_FUZZ_CHECK(again && again->sub == c->sub && again->role == c->role);
  }
  return 0;
}
