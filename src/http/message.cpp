#include "http/message.hpp"

#include <algorithm>
#include <array>

#include "http/url.hpp"

namespace strata::http {

std::optional<std::string> request::query(std::string_view name) const { return find_parameter(query_text, name); }

response response::text(int status, std::string body, std::string_view type) {
  response r;
  r.status = status;
  r.headers.add("Content-Type", type);
  r.body = std::move(body);
  return r;
}

response response::method_not_allowed(std::string_view allow) {
  auto r = text(405, "this method is not allowed here\n");
  r.headers.add("Allow", allow);
  return r;
}

response response::unauthorised(std::string_view challenge) {
  auto r = text(401, "authentication is required\n");
  r.headers.add("WWW-Authenticate", challenge);
  return r;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return {};
  }
}

bool is_known_method(std::string_view method) noexcept {
  static constexpr std::array<std::string_view, 7> known = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  return std::find(known.begin(), known.end(), method) != known.end();
}

}  // namespace strata::http
