// The date of a message (RFC 9110 §5.6.7).
#pragma once

#include <string>

#include "base/time.hpp"

namespace strata::http {

// "Sun, 06 Nov 1994 08:49:37 GMT"
[[nodiscard]] std::string format_date(base::wall_time t);

}  // namespace strata::http
