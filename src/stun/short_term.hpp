// Short-term credentials (RFC 8489 §9.1): username and password known to both sides from elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "stun/session.hpp"

namespace strata::stun {

enum class integrity_choice : std::uint8_t { both, sha1, sha256 };

class short_term_session final : public session {
 public:
  // `known`: the algorithm, when it was agreed elsewhere (ICE: SHA-1). Otherwise the first request carries both, and the
  // server's answer decides for those that follow (§9.1.5). One session per server.
  short_term_session(std::string username, std::string_view password, integrity_choice known = integrity_choice::both)
      : username_(std::move(username)), key_(short_term_key(password)), known_(known), choice_(known) {}

  void sign(message_writer& request) override;
  judgement judge(const message_view& response) override;
  void restart() override { choice_ = known_; }
  [[nodiscard]] integrity_choice choice() const noexcept { return choice_; }

 private:
  std::string username_;
  integrity_key key_;
  integrity_choice known_, choice_;
};

}  // namespace strata::stun
