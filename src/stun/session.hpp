// The client's side of a credential mechanism (RFC 8489 §9): what a request carries, and what a response is worth.
// Two mechanisms: short_term.hpp and long_term.hpp. Rules: no clock, no socket.
#pragma once

#include "stun/judgement.hpp"
#include "stun/message_view.hpp"
#include "stun/message_writer.hpp"

namespace strata::stun {

class session {
 public:
  virtual ~session() = default;
  // Adds what identifies the client and closes the message with integrity; the caller may still add FINGERPRINT.
  virtual void sign(message_writer& request) = 0;
  // Judges a response to the last request that was signed. reaction::retry: sign a new request and send it.
  virtual judgement judge(const message_view& response) = 0;
  // Another server is asked next: keeps who the client is, forgets what the last server said.
  virtual void restart() = 0;
};

}  // namespace strata::stun
