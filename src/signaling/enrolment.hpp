// How a machine that has nothing becomes a peer: it shows a code that an admin handed out, and asks until an admin has decided.
// Whoever reads the code or the registry's records cannot take its place: the token is released once, to who knows the secret.
#pragma once

#include <optional>
#include <string>

#include "async/async.hpp"
#include "base/result.hpp"
#include "net/host.hpp"

namespace strata::signaling {

enum class enrolment_errc { refused = 1, rejected, unexpected_reply };
std::error_code make_error_code(enrolment_errc e) noexcept;

struct enrolment {
  std::string id;      // of the pairing at the registry
  std::string secret;  // to be kept as a password is
  std::string peer_id;
};

struct registry_address {
  std::string token_url;   // the other routes are beside it
  std::string trust_file;  // PEM of extra roots for https; empty: the system's
};

// POST /api/pairing/pair. enrolment_errc::refused: not a code that is good now; the text of the registry goes to `why`.
[[nodiscard]] async::task<base::result<enrolment>> show_code(net::host& h, registry_address r, std::string code,
                                                             std::string name, std::string& why);
// POST /api/pairing/{id}/status. The token, or nothing while nobody has decided; enrolment_errc::rejected when there will be
// none.
[[nodiscard]] async::task<base::result<std::optional<std::string>>> ask_for_token(net::host& h, registry_address r,
                                                                                  enrolment e);

}  // namespace strata::signaling

template <>
struct std::is_error_code_enum<strata::signaling::enrolment_errc> : std::true_type {};
