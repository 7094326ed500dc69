#include "registry/cors.hpp"

#include <algorithm>

#include "http/url.hpp"

namespace strata::registry {

std::string cors::check(const std::string& origin) {
  if (origin == "*") return {};
  const auto scheme_end = origin.find("://");
  const auto rest = scheme_end == std::string::npos ? std::string() : origin.substr(scheme_end + 3);
  const auto url = http::url::parse(origin);
  const bool is_lower = std::none_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  // RFC 6454 §6.2: scheme, host and port and nothing behind them, in lower case, as browsers send it; compared octet by octet.
  if (url && is_lower && (url->scheme == "http" || url->scheme == "https") && rest.find_first_of("/?#@") == std::string::npos)
    return {};
  return "'" + origin + "' is no origin, for example https://hub.example.org (no path, no slash at the end)";
}

bool cors::allows(std::string_view origin) const {
  return std::any_of(origins_.begin(), origins_.end(), [&](const auto& o) { return o == "*" || o == origin; });
}

// Never with Access-Control-Allow-Credentials: a page brings its key or token in a header.
void cors::allow(std::string_view origin, http::response& answer) const {
  answer.headers.set("Access-Control-Allow-Origin", origin);
  answer.headers.set("Access-Control-Expose-Headers", "Retry-After");
}

std::optional<http::response> cors::preflight(const http::request& r) const {
  const auto origin = r.headers.single("Origin");
  if (origins_.empty() || r.method != "OPTIONS" || !origin || !r.headers.contains("Access-Control-Request-Method"))
    return std::nullopt;
  if (!allows(*origin)) return http::response::json(403, R"({"error":"this origin is not listed"})");
  http::response yes;
  yes.status = 204;
  allow(*origin, yes);
  yes.headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE");
  yes.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Device-Token");
  yes.headers.set("Access-Control-Max-Age", "600");
  return yes;
}

void cors::mark(const http::request& r, http::response& answer) const {
  if (origins_.empty() || answer.status == 101) return;
  // A cache must not give one origin's answer to another.
  answer.headers.add("Vary", "Origin");
  if (const auto origin = r.headers.single("Origin"); origin && allows(*origin)) allow(*origin, answer);
}

}  // namespace strata::registry
