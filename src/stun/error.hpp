// What can be wrong with a STUN message or a transaction, and the errors a server answers with, as error codes.
#pragma once

#include <system_error>

namespace strata::stun {

enum class errc {
  // the message as a whole (offset: where it stopped making sense)
  too_short = 1,          // less than the 20-byte header
  not_stun,               // the two top bits are not zero
  bad_cookie,             // RFC 8489 §5: the magic cookie is not there
  unaligned_length,       // the length field is no multiple of four
  length_mismatch,        // the length field says more or fewer bytes than there are
  truncated_attribute,    // an attribute reaches past the end of the message
  misplaced_fingerprint,  // RFC 8489 §14.7: something follows FINGERPRINT
  // one attribute
  bad_attribute_length,
  bad_address_family,
  bad_value,
  missing_attribute,
  too_long,  // refused before it is sent: the attribute or the message is larger than the RFC allows
  // credentials
  bad_fingerprint,
  bad_integrity,
  unauthenticated,      // no integrity where the exchange needs it
  bid_down,             // RFC 8489 §9.2.5: the nonce announces algorithms that the message does not list
  no_common_algorithm,  // none of PASSWORD-ALGORITHMS is known here
  bad_credentials,      // the same credentials were refused twice
  // the transaction
  unknown_attribute,  // a response with comprehension-required attributes that nobody here knows
  redirected,         // 3xx, and it may or can not be followed
  redirect_loop,      // to a server that was tried within the last five minutes
  busy,               // as many transactions as the table has room for
};
const std::error_category& stun_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), stun_category()}; }

// An error response of the peer, 300–699, as an error code: message() is the registered reason.
const std::error_category& response_category() noexcept;
inline std::error_code response_error(int code) noexcept { return {code, response_category()}; }

}  // namespace strata::stun

template <>
struct std::is_error_code_enum<strata::stun::errc> : std::true_type {};
