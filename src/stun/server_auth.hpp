// The server's side of the credential mechanisms (RFC 8489 §9.1.3, §9.2.4). ICE uses the short-term one for every check it
// answers. Rules: `now` is an argument, and nothing is remembered of clients that have not proved who they are: the nonce
// carries its own time and a code over it and the client's address.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "stun/credentials.hpp"
#include "stun/message_view.hpp"
#include "stun/message_writer.hpp"
#include "stun/nonce_cookie.hpp"

namespace strata::stun {

// What a server found out about a request or indication.
struct admission {
  int refusal = 0;                     // 400, 401, 438: answer with it (an indication: drop it); 0: admitted
  std::string_view reason{};           // for the trace
  std::optional<integrity_key> key{};  // admitted: closes the answer…
  bool sha256 = false;                 // …with this algorithm and no other (§9.1.3)
  std::string_view username{};         // admitted, short-term: borrowed from the message

  [[nodiscard]] bool admitted() const noexcept { return refusal == 0; }
  // Closes an answer in the way the request was closed; does nothing for a refusal (§9.1.3: those carry no integrity).
  void sign(message_writer& answer) const;
};

// nullopt: no such user.
using find_key = std::function<std::optional<integrity_key>(std::string_view username)>;

[[nodiscard]] admission admit_short_term(const message_view& m, const find_key& find);

class long_term_gate {
 public:
  struct config {
    std::string realm;
    security_features features{.password_algorithms = true, .username_anonymity = true};
    std::vector<algorithm> algorithms{algorithm::sha256, algorithm::md5};  // in order of preference
    base::duration nonce_lifetime = std::chrono::hours(1);
  };
  struct user {
    std::string name, password;
  };
  // By name, or by USERHASH; nullopt: no such user.
  using find_user = std::function<std::optional<user>(std::string_view name)>;
  using find_hash = std::function<std::optional<user>(const userhash& hash)>;

  // `secret`: random, never shared; whoever knows it can make nonces.
  long_term_gate(config c, base::bytes secret, find_user by_name, find_hash by_hash);

  [[nodiscard]] admission admit(const message_view& m, const base::endpoint& from, base::instant now) const;
  // Adds what a 401 or 438 has to say: REALM, a NONCE for this client, PASSWORD-ALGORITHMS.
  void challenge(message_writer& answer, const base::endpoint& to, base::instant now) const;

 private:
  [[nodiscard]] std::string make_nonce(const base::endpoint& to, base::instant when) const;
  [[nodiscard]] bool nonce_is_fresh(std::string_view nonce, const base::endpoint& from, base::instant now) const;
  [[nodiscard]] std::optional<algorithm> agreed_algorithm(const message_view& m) const;

  config config_;
  base::bytes secret_;
  base::bytes algorithms_;  // the PASSWORD-ALGORITHMS value
  find_user by_name_;
  find_hash by_hash_;
};

}  // namespace strata::stun
