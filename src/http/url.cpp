#include "http/url.hpp"

#include <algorithm>

#include "base/endpoint.hpp"
#include "http/grammar.hpp"

namespace strata::http {
namespace {

constexpr bool is_unreserved(char c) noexcept {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// RFC 3986 §3.2.2, without the percent encoding that no resolver takes. '_' is common in names of containers.
bool is_host_name(std::string_view s) noexcept {
  return !s.empty() && s.size() <= 253 &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_visible(std::string_view s) noexcept {
  return std::all_of(s.begin(), s.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

struct host_and_port {
  std::string_view host;                 // without brackets
  std::optional<std::string_view> port;  // digits
};

std::optional<host_and_port> split_host(std::string_view text) noexcept {
  host_and_port found;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    found.host = text.substr(1, end - 1);
    const auto address = base::ip_address::parse(found.host);
    if (!address || !address->is_v6()) return std::nullopt;
    rest = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    found.host = text.substr(0, colon);
    if (!is_host_name(found.host)) return std::nullopt;
    rest = text.substr(colon);
  }
  if (rest.empty()) return found;
  if (rest.front() != ':') return std::nullopt;
  rest.remove_prefix(1);
  if (!rest.empty()) {  // RFC 3986 §3.2.3: the port may be empty
    if (!base::parse_port(rest)) return std::nullopt;
    found.port = rest;
  }
  return found;
}

}  // namespace

std::uint16_t default_port(std::string_view scheme) noexcept {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

bool is_host_and_port(std::string_view text) noexcept { return split_host(text).has_value(); }

base::result<url> url::parse(std::string_view text) {
  url u;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return base::fail(errc::bad_url, 0, "scheme://host");
  for (const char c : text.substr(0, colon)) u.scheme += lower(c);
  if (default_port(u.scheme) == 0) return base::fail(errc::bad_url, 0, "http, https, ws or wss");
  const auto at = colon + 3;
  auto rest = text.substr(at);
  const auto authority = rest.substr(0, std::min(rest.find_first_of("/?#"), rest.size()));
  if (authority.find('@') != std::string_view::npos) return base::fail(errc::bad_url, at, "no user name or password");
  const auto split = split_host(authority);
  if (!split) return base::fail(errc::bad_url, at, "a host name or an address, and a port");
  for (const char c : split->host) u.host += lower(c);
  u.port = split->port ? *base::parse_port(*split->port) : default_port(u.scheme);
  if (u.port == 0) return base::fail(errc::bad_url, at, "a port from 1 to 65535");
  rest.remove_prefix(authority.size());
  rest = rest.substr(0, std::min(rest.find('#'), rest.size()));
  if (!is_visible(rest))
    return base::fail(errc::bad_url, at + authority.size(), "visible ASCII characters; others percent-encoded");
  const auto question = std::min(rest.find('?'), rest.size());
  if (question != 0) u.path = rest.substr(0, question);
  if (question != rest.size()) u.query = rest.substr(question + 1);
  return u;
}

url& url::add_parameter(std::string_view name, std::string_view value) {
  if (!query.empty() && query.back() != '&') query += '&';
  query += percent_encode(name) + '=' + percent_encode(value);
  return *this;
}

std::string url::target() const { return query.empty() ? path : path + '?' + query; }

std::string url::authority() const {
  auto text = host.find(':') != std::string::npos ? '[' + host + ']' : host;
  if (port != default_port(scheme)) text += ':' + std::to_string(port);
  return text;
}

std::string url::to_string() const { return scheme + "://" + authority() + target(); }

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto u = static_cast<unsigned char>(c);
    out += {'%', digits[u >> 4], digits[u & 15]};
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const auto high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    }
  }
  return out;
}

parameters parse_query(std::string_view query) {
  parameters found;
  while (!query.empty()) {
    const auto piece = query.substr(0, std::min(query.find('&'), query.size()));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    const auto equals = std::min(piece.find('='), piece.size());
    auto name = percent_decode(piece.substr(0, equals), true);
    auto value = percent_decode(piece.substr(std::min(equals + 1, piece.size())), true);
    if (name && value && !(name->empty() && value->empty())) found.emplace_back(std::move(*name), std::move(*value));
  }
  return found;
}

std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  for (auto& [n, value] : parse_query(query))
    if (n == name) return std::move(value);
  return std::nullopt;
}

}  // namespace strata::http
