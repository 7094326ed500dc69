// Long-term credentials (RFC 8489 §9.2): the server challenges with a realm and a nonce, the client answers with a key made of
// username, realm and password. One session per server: it remembers the challenge for the requests that follow.
#pragma once

#include <optional>
#include <string>

#include "stun/session.hpp"

namespace strata::stun {

class long_term_session final : public session {
 public:
  // Both prepared by opaque_string().
  long_term_session(std::string username, std::string password)
      : username_(std::move(username)), password_(std::move(password)) {}

  void sign(message_writer& request) override;
  judgement judge(const message_view& response) override;
  void restart() override;

  [[nodiscard]] bool challenged() const noexcept { return key_.has_value(); }
  [[nodiscard]] const std::optional<integrity_key>& key() const noexcept { return key_; }

 private:
  judgement take_challenge(const message_view& m, int code);

  std::string username_, password_;
  std::string realm_, nonce_;
  std::optional<base::bytes> algorithms_;  // PASSWORD-ALGORITHMS as the server sent it
  algorithm chosen_ = algorithm::md5;
  bool hide_username_ = false;
  std::optional<integrity_key> key_;  // after a challenge
  bool signed_last_ = false;          // the request that is being answered carried integrity
};

}  // namespace strata::stun
