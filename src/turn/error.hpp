// What can go wrong with an allocation, besides what STUN itself knows: refusals of the server are stun::response_error(code).
#pragma once

#include <string>
#include <system_error>

#include "base/error.hpp"

namespace strata::turn {

enum class errc {
  not_turn = 1,       // a URI of another kind
  unusable_answer,    // a success response without a relayed address or lifetime that could be used
  no_server_address,  // its name has no address that this machine can reach
  lost,               // the server no longer knows the allocation (437), or refused to keep it
  connection_lost,    // of the TCP or TLS connection to the server: the allocation went with it (RFC 8656 §3.1)
  released,           // by us
};
std::error_code make_error_code(errc e) noexcept;

// What a person should know, and do, about an error of this layer or of STUN's: "486: the server …".
[[nodiscard]] std::string explain(const base::error& e);

}  // namespace strata::turn

template <>
struct std::is_error_code_enum<strata::turn::errc> : std::true_type {};
