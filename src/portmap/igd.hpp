// What is said to a UPnP gateway: its description, and calls of its WANIPConnection service (UPnP IGD 1 and 2) in SOAP 1.1.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "http/url.hpp"
#include "portmap/error.hpp"
#include "portmap/xml.hpp"

namespace strata::portmap::igd {

struct service {
  std::string type;       // urn:schemas-upnp-org:service:WANIPConnection:1, or :2, or WANPPPConnection:1
  http::url control;      // where its calls are posted
  bool any_port = false;  // version 2: AddAnyPortMapping, which finds a free port by itself
  friend bool operator==(const service&, const service&) = default;
};

// The service to ask, out of a device description; WANIPConnection before WANPPPConnection, 2 before 1. Its URL is on the host
// the description came from. Errors: malformed, unsupported when there is no such service.
[[nodiscard]] base::result<service> find_service(std::string_view description, const http::url& location);

struct call {
  std::string action;  // value of SOAPAction, with its quotes
  std::string body;
};
using arguments = std::initializer_list<std::pair<std::string_view, std::string>>;
[[nodiscard]] call make_call(const service& s, std::string_view action, arguments a);

// The element <u:{action}Response>. Errors: malformed, or what the UPnPError says.
[[nodiscard]] base::result<xml::element> read_answer(int status, std::string_view body, std::string_view action);

// The calls in use.
[[nodiscard]] call get_external_address(const service& s);
[[nodiscard]] base::result<base::ip_address> read_external_address(int status, std::string_view body);
[[nodiscard]] call add_mapping(const service& s, const base::endpoint& inside, std::uint16_t outside, std::uint32_t lifetime);
// The outside port: what was asked for, or with any_port what the gateway chose.
[[nodiscard]] base::result<std::uint16_t> read_added(const service& s, int status, std::string_view body, std::uint16_t asked);
[[nodiscard]] call delete_mapping(const service& s, std::uint16_t outside);

}  // namespace strata::portmap::igd
