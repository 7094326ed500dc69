// The STUN messages of connectivity checks: what goes into them and what has to come out (RFC 8445 §7.1, §7.3, RFC 7675 §5).
// Short-term credentials, SHA-1, FINGERPRINT: RFC 8445 §7.2.2, §7.2.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "ice/role.hpp"
#include "stun/credentials.hpp"
#include "stun/judgement.hpp"
#include "stun/message_view.hpp"

namespace strata::ice {

// RFC 8445 §7.2.2: the receiver's fragment first.
[[nodiscard]] std::string check_username(std::string_view receiver_ufrag, std::string_view sender_ufrag);

struct check_request {
  std::string username;
  std::uint32_t priority = 0;
  role sender;
  bool use_candidate = false;
  std::uint32_t nomination = 0;  // with use_candidate, when renomination is agreed
};
[[nodiscard]] base::bytes encode_check(const check_request& c, const stun::transaction_id& id, const stun::integrity_key& key);

[[nodiscard]] base::bytes encode_success(const stun::transaction_id& id, const base::endpoint& mapped,
                                         const stun::integrity_key& key);
// RFC 8489 §9.1.3: 400 and 401 go out bare, since no key is agreed; the rest is signed.
[[nodiscard]] base::bytes encode_error(const stun::message_view& request, int code, const stun::integrity_key& key);

// An incoming Binding request. `refuse`: answer with this code and do nothing else.
struct received_check {
  int refuse = 0;
  std::string_view why = {};
  std::uint32_t priority = 0;
  std::optional<role> sender = {};  // nothing: a peer that knows no roles
  bool use_candidate = false;
  std::uint32_t nomination = 0;  // 0: not said
};
// RFC 8445 §7.3, RFC 8489 §6.3.1, §9.1.3: credentials first, then comprehension, then the attributes of a check.
[[nodiscard]] received_check read_check(const stun::message_view& m, std::string_view own_ufrag,
                                        const stun::integrity_key& own_key);

// Whether a response may be believed (RFC 8489 §9.1.4). Errors 400 and 401 cannot be signed and are believed bare.
[[nodiscard]] stun::judgement judge_response(const stun::message_view& m, const stun::integrity_key& key);

// What a believed response says: a mapped address, or an error code.
struct check_answer {
  int error = 0;
  base::endpoint mapped = {};
};
[[nodiscard]] base::result<check_answer> read_answer(const stun::message_view& m);

}  // namespace strata::ice
