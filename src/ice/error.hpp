// Why a candidate was not understood, or an agent did not connect.
#pragma once

#include <system_error>

namespace strata::ice {

enum class errc {
  malformed = 1,          // not the grammar of RFC 8839 §5.1
  out_of_range,           // a number that the grammar allows and the protocol does not
  unsupported_transport,  // neither UDP nor TCP
  unsupported_type,       // not host, srflx, prflx or relay
  unsupported_address,    // an address family that we do not know
  end_of_candidates,      // the empty line: no candidate, and nothing wrong
  not_for_us,             // another component or generation, or after the peer's end-of-candidates
  too_many,               // a bound was reached
  not_found,              // a .local name that nobody answers for
  failed,                 // no pair works (RFC 8445 §8.1.2), or consent is lost (RFC 7675 §5.1)
  closed,
};
const std::error_category& ice_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), ice_category()}; }

}  // namespace strata::ice

template <>
struct std::is_error_code_enum<strata::ice::errc> : std::true_type {};
