// What can be wrong with a session description.
#pragma once

#include <system_error>

namespace strata::sdp {

enum class errc {
  too_large = 1,
  not_utf8,
  bad_line,      // not "<letter>=<value>" and a line end
  unknown_line,  // RFC 8866 §5: a letter that does not exist
  bad_order,     // a line where the grammar has none, or one too many
  missing_line,  // v, o, s, t or c
  bad_version,
  bad_origin,
  bad_session_name,
  bad_connection,
  bad_bandwidth,
  bad_timing,
  bad_text,  // i, u, e, p
  bad_media,
  bad_attribute,        // an attribute we depend on has a value that its grammar does not allow
  duplicate_attribute,  // twice where once is meant
  missing_attribute,
  no_data_section,  // no section describes data channels
  bad_bundle,       // RFC 9143: a group that cannot be
  bad_setup,        // RFC 8842 §5: roles that do not fit
  answer_mismatch,  // RFC 8829 §5.8.3: the answer does not have the sections of the offer
  bad_change,       // RFC 8829 §5.8.3, RFC 8839 §4.4.2.1: what must not change without a restart
  not_writable,     // asked to write what must not be written
};
const std::error_category& sdp_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), sdp_category()}; }

}  // namespace strata::sdp

template <>
struct std::is_error_code_enum<strata::sdp::errc> : std::true_type {};
