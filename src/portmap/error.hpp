// Why there is no mapping.
#pragma once

#include <system_error>

namespace strata::portmap {

enum class errc {
  malformed = 1,        // a message that is none of its protocol
  unsupported_version,  // the gateway speaks another version, or another of the protocols
  not_authorized,       // mappings are switched off, or not for this machine
  network_failure,      // the gateway has no outside address
  no_resources,         // no port is left, or the quota is used up
  unsupported,          // an opcode, an option, a service that the gateway does not have
  address_mismatch,     // RFC 6887 §8.2: there is a NAT between this machine and the gateway that answers
  conflict,             // the port belongs to somebody else
  permanent_only,       // UPnP 725: only mappings without end
  no_gateway,           // nobody to ask
  bad_address,          // not a concrete address of this machine
  too_many,             // the bound of the mapper
  refused,              // anything else that a gateway says no with
};
const std::error_category& portmap_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), portmap_category()}; }

}  // namespace strata::portmap

template <>
struct std::is_error_code_enum<strata::portmap::errc> : std::true_type {};
