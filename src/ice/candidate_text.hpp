// The candidate attribute of SDP and of trickled candidates (RFC 8839 §5.1):
//
//   candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type>
//             [raddr <address>] [rport <port>] {<extension name> <extension value>}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ice/candidate.hpp"

namespace strata::ice {

// "candidate:…", without "a=".
[[nodiscard]] std::string format(const candidate& c);

// Takes "candidate:…", "a=candidate:…" and what follows the colon, with or without a line end. The empty text, which
// browsers send as the last candidate, is errc::end_of_candidates.
[[nodiscard]] base::result<candidate> parse_candidate(std::string_view text);

[[nodiscard]] bool is_ice_char(char c) noexcept;  // ALPHA / DIGIT / "+" / "/"

}  // namespace strata::ice
