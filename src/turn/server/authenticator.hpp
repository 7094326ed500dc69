// Who asks (RFC 8656 §5): the long-term mechanism of STUN with passwords from a list, from REST credentials, or both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stun/server_auth.hpp"
#include "turn/server/config.hpp"

namespace strata::turn::server {

struct moment {
  base::instant now{};            // of the host's clock, for everything that lasts
  std::int64_t wall_seconds = 0;  // since 1970, for the expiry in REST usernames
};

class authenticator {
 public:
  // `nonce_secret`: random, never shared.
  authenticator(const rules_config& c, base::bytes nonce_secret);
  authenticator(const authenticator&) = delete;
  authenticator& operator=(const authenticator&) = delete;

  // `owner`: the username that made the allocation on this 5-tuple, empty when there is none. Its owner may go on with it
  // after the credential has expired: RFC 8656 §5 forbids a client to use another one.
  [[nodiscard]] stun::admission admit(const stun::message_view& m, const base::endpoint& from, moment t,
                                      std::string_view owner);
  void challenge(stun::message_writer& answer, const base::endpoint& to, moment t) const;

  // The person behind a username: what quotas are counted by. A renewed REST credential is the same user's.
  [[nodiscard]] static std::string_view user_of(std::string_view username) noexcept;
  // The USERNAME of an admitted request, or the name that its USERHASH stands for.
  [[nodiscard]] std::string username_of(const stun::message_view& m) const;

 private:
  using user = stun::long_term_gate::user;
  [[nodiscard]] std::optional<user> by_name(std::string_view name, std::size_t secret) const;
  [[nodiscard]] std::optional<user> by_hash(const stun::userhash& hash) const;

  const rules_config& config_;
  std::vector<stun::long_term_gate> gates_;  // one for each secret; all make and take the same nonces
  std::int64_t wall_seconds_ = 0;            // of the admission under way
  std::string owner_;
};

}  // namespace strata::turn::server
