// URLs of the four schemes that a client here dials, and the percent encoding of paths and queries (RFC 3986).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "http/error.hpp"

namespace strata::http {

// http, https, ws or wss. Path and query are kept as they were written.
struct url {
  std::string scheme;      // lower case
  std::string host;        // lower case; an IPv6 literal stands without its brackets
  std::uint16_t port = 0;  // the scheme's own when the text names none
  std::string path = "/";
  std::string query;  // without '?'

  // Errors: bad_url with the offset. User information is refused: a password in a URL ends up in logs. A fragment is
  // dropped (RFC 9110 §4.2.5 keeps it off the wire).
  static base::result<url> parse(std::string_view text);

  // Appends "name=value", encoded, after whatever query there is.
  url& add_parameter(std::string_view name, std::string_view value);

  [[nodiscard]] bool secure() const noexcept { return scheme == "https" || scheme == "wss"; }
  [[nodiscard]] std::string target() const;     // "/path?query"
  [[nodiscard]] std::string authority() const;  // "host:port", the port only when it is not the scheme's own
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const url&, const url&) = default;
};

[[nodiscard]] std::uint16_t default_port(std::string_view scheme) noexcept;  // 0: no scheme of ours

// Everything but unreserved characters becomes %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);
// Nothing when a % is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

using parameters = std::vector<std::pair<std::string, std::string>>;
// "a=1&b=x+y", decoded; pieces that cannot be decoded are left out.
[[nodiscard]] parameters parse_query(std::string_view query);
[[nodiscard]] std::optional<std::string> find_parameter(std::string_view query, std::string_view name);

// Is this what may stand in Host (RFC 9110 §7.2): host[:port], a name or an address literal.
[[nodiscard]] bool is_host_and_port(std::string_view text) noexcept;

}  // namespace strata::http
