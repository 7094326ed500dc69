// Requests and responses as values, the way handlers and callers see them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.hpp"
#include "http/fields.hpp"

namespace strata::http {

// What a server received. The head was checked: one valid Host, a body whose length is beyond doubt.
struct request {
  std::string method;      // "GET"; case-sensitive
  std::string target;      // as it stood in the request line
  std::string path;        // decoded, begins with '/' ("*" for OPTIONS *), has no "." or ".." segments
  std::string query_text;  // after '?', not decoded
  int minor_version = 1;   // HTTP/1.x
  fields headers;
  std::string body;
  base::endpoint remote;
  bool secure = false;  // it came over TLS

  // The first parameter of that name, decoded.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

struct response {
  int status = 200;
  fields headers;  // Content-Length, Date and Connection are the server's business
  std::string body;

  static response text(int status, std::string body, std::string_view type = "text/plain; charset=utf-8");
  static response json(int status, std::string body) { return text(status, std::move(body), "application/json"); }
  // RFC 9110 §15.5.6: says which methods there are instead.
  static response method_not_allowed(std::string_view allow);
  // RFC 9110 §11.6.1: says how to authenticate.
  static response unauthorised(std::string_view challenge);

  friend bool operator==(const response&, const response&) = default;
};

[[nodiscard]] std::string_view reason_phrase(int status) noexcept;  // empty for codes that have none here
// RFC 9110 §9.1: methods that a server can tell from nonsense.
[[nodiscard]] bool is_known_method(std::string_view method) noexcept;
// RFC 9110 §6.4.1: responses to HEAD and these statuses have no body, whatever their fields say.
[[nodiscard]] constexpr bool has_no_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

}  // namespace strata::http
