#include "http/head.hpp"

#include <algorithm>
#include <charconv>

#include "http/grammar.hpp"
#include "http/url.hpp"

namespace strata::http {
namespace {

using base::fail;

// A head cut into lines; find_head_end() has seen to the line ends, but a caller may not have asked it.
struct line_reader {
  std::string_view text;
  std::size_t at = 0;

  base::result<std::string_view> next() {
    const auto end = text.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return fail(errc::truncated, text.size(), "CR LF");
    if (text[end] != '\r' || end + 1 == text.size() || text[end + 1] != '\n') return fail(errc::bad_line_end, end, "CR LF");
    const auto line = text.substr(at, end - at);
    at = end + 2;
    return line;
  }
};

// RFC 9112 §2.3: exactly "HTTP/1." and one digit; a later minor version is answered as 1.1.
std::optional<int> minor_version(std::string_view text) noexcept {
  if (text.size() != 8 || !text.starts_with("HTTP/1.") || !is_digit(text[7])) return std::nullopt;
  return text[7] - '0';
}

base::result<void> read_fields(line_reader& lines, const head_limits& limits, fields& into) {
  for (;;) {
    const auto begin = lines.at;
    const auto line = lines.next();
    if (!line) return fail(line.error());
    if (line->empty()) break;
    if (into.size() == limits.fields) return fail(errc::head_too_large, begin, "fewer fields");
    // RFC 9112 §2.2 and §5.2: white space in front is a smuggled first field or a folded one; both are refused.
    if (line->front() == ' ' || line->front() == '\t') return fail(errc::bad_field, begin, "a field name, not a folded line");
    const auto colon = line->find(':');
    if (colon == std::string_view::npos) return fail(errc::bad_field, begin, "name: value");
    const auto name = line->substr(0, colon);
    // RFC 9112 §5.1: white space between name and colon is refused too, by the token grammar.
    if (!is_token(name)) return fail(errc::bad_field, begin, "a token before the colon");
    const auto value = trim(line->substr(colon + 1));
    if (!is_field_value(value)) return fail(errc::bad_field, begin + colon + 1, "no control characters");
    into.add(name, value);
  }
  if (lines.at != lines.text.size()) return fail(errc::bad_field, lines.at, "the end of the head");
  return {};
}

// RFC 9112 §6.3, of which every ambiguous case is an error.
base::result<framing> read_framing(const fields& f, int minor) {
  const bool coded = f.contains("Transfer-Encoding");
  if (const auto lengths = f.count("Content-Length"); lengths != 0) {
    // RFC 9112 §6.1: both together is what an attack looks like.
    if (coded) return fail(errc::bad_length, base::error::nowhere, "Content-Length or Transfer-Encoding, not both");
    // RFC 9112 §6.3: equal copies might be let pass; no honest client sends them.
    if (lengths != 1) return fail(errc::bad_length, base::error::nowhere, "one Content-Length");
    const auto text = f.get("Content-Length");
    framing found{framing::kind::length, 0};
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
      return fail(errc::bad_length, base::error::nowhere, "digits");
    if (std::from_chars(text.data(), text.data() + text.size(), found.length).ec != std::errc())
      return fail(errc::body_too_large, base::error::nowhere, "a 64-bit length");
    return found;
  }
  if (coded) {
    // RFC 9112 §6.1: a 1.0 message with this field has faulty framing.
    if (minor == 0) return fail(errc::bad_length, base::error::nowhere, "no Transfer-Encoding in HTTP/1.0");
    if (f.count("Transfer-Encoding") != 1 || !equal_ignoring_case(f.get("Transfer-Encoding"), "chunked"))
      return fail(errc::bad_transfer_coding, base::error::nowhere, "chunked");
    return framing{framing::kind::chunked, 0};
  }
  return framing{};
}

// RFC 9112 §9.3
bool wants_to_stay(const fields& f, int minor) {
  if (f.lists("Connection", "close")) return false;
  return minor >= 1 || f.lists("Connection", "keep-alive");
}

bool has_dot_segment(std::string_view path) noexcept {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto segment = path.substr(0, std::min(path.find('/'), path.size()));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

}  // namespace

base::result<std::optional<std::size_t>> find_head_end(base::byte_view data, const head_limits& limits) {
  const auto text = base::as_text(data.first(std::min(data.size(), limits.bytes)));
  // A TLS hello sent to the wrong port shows in its first octet.
  if (!text.empty() && !is_token_char(text.front())) return fail(errc::bad_start_line, 0, "a start line");
  std::size_t line = 0;
  bool first = true;
  for (;;) {
    const auto end = text.find_first_of("\r\n", line);
    if (first && std::min(end, text.size()) - line > limits.start_line)
      return fail(errc::target_too_long, limits.start_line, "a shorter request line");
    if (end == std::string_view::npos || (text[end] == '\r' && end + 1 == text.size())) break;
    if (text[end] != '\r' || text[end + 1] != '\n') return fail(errc::bad_line_end, end, "CR LF");
    if (end == line) return std::optional(end + 2);
    first = false;
    line = end + 2;
  }
  if (data.size() >= limits.bytes) return fail(errc::head_too_large, limits.bytes, "a smaller head");
  return std::optional<std::size_t>();
}

base::result<request_head> parse_request_head(base::byte_view data, const head_limits& limits) {
  if (data.size() > limits.bytes) return fail(errc::head_too_large, limits.bytes, "a smaller head");
  line_reader lines{base::as_text(data)};
  const auto line = lines.next();
  if (!line) return fail(line.error());
  if (line->size() > limits.start_line) return fail(errc::target_too_long, limits.start_line, "a shorter request line");

  // RFC 9112 §3: method SP target SP version, with exactly these two spaces.
  const auto space = line->find(' ');
  const auto second = space == std::string_view::npos ? space : line->find(' ', space + 1);
  if (second == std::string_view::npos || line->find(' ', second + 1) != std::string_view::npos)
    return fail(errc::bad_start_line, 0, "method, target and version with one space between");
  request_head head;
  head.method = line->substr(0, space);
  if (!is_token(head.method) || head.method.size() > 32) return fail(errc::bad_start_line, 0, "a method");
  head.target = line->substr(space + 1, second - space - 1);
  request scratch;
  if (const auto target = read_target(head.target, head.method, scratch); !target)
    return fail(errc::bad_target, space + 1, target.error().expected);
  const auto version = line->substr(second + 1);
  const auto minor = minor_version(version);
  if (!minor) {
    if (version.starts_with("HTTP/")) return fail(errc::bad_version, second + 1, "HTTP/1.1");
    return fail(errc::bad_start_line, second + 1, "HTTP/1.1");
  }
  head.minor_version = *minor;

  if (const auto read = read_fields(lines, limits, head.headers); !read) return fail(read.error());
  // RFC 9112 §3.2: exactly one Host, and it is one; HTTP/1.0 may go without.
  const auto hosts = head.headers.count("Host");
  if (hosts > 1 || (hosts == 0 && head.minor_version >= 1)) return fail(errc::bad_host, base::error::nowhere, "one Host field");
  if (hosts == 1 && !is_host_and_port(head.headers.get("Host")))
    return fail(errc::bad_host, base::error::nowhere, "host[:port]");
  auto body = read_framing(head.headers, head.minor_version);
  if (!body) return fail(body.error());
  head.body = *body;
  head.keep_alive = wants_to_stay(head.headers, head.minor_version);
  return head;
}

base::result<response_head> parse_response_head(base::byte_view data, const head_limits& limits) {
  if (data.size() > limits.bytes) return fail(errc::head_too_large, limits.bytes, "a smaller head");
  line_reader lines{base::as_text(data)};
  const auto line = lines.next();
  if (!line) return fail(line.error());
  response_head head;
  const auto minor = minor_version(line->substr(0, std::min<std::size_t>(8, line->size())));
  if (!minor) return fail(line->starts_with("HTTP/") ? errc::bad_version : errc::bad_start_line, 0, "HTTP/1.1");
  head.minor_version = *minor;
  // RFC 9112 §4: the reason may be empty, and some leave out the space before it as well.
  const bool shaped = line->size() >= 12 && (*line)[8] == ' ' && is_digit((*line)[9]) && is_digit((*line)[10]) &&
                      is_digit((*line)[11]) && (line->size() == 12 || (*line)[12] == ' ');
  if (!shaped) return fail(errc::bad_start_line, std::min<std::size_t>(8, line->size()), "a three-digit status");
  head.status = ((*line)[9] - '0') * 100 + ((*line)[10] - '0') * 10 + ((*line)[11] - '0');
  if (head.status < 100) return fail(errc::bad_start_line, 9, "a status from 100 to 999");
  if (line->size() > 13) head.reason = line->substr(13);
  if (!is_field_value(head.reason)) return fail(errc::bad_start_line, 13, "no control characters");

  if (const auto read = read_fields(lines, limits, head.headers); !read) return fail(read.error());
  auto body = read_framing(head.headers, head.minor_version);
  if (!body) return fail(body.error());
  head.body = *body;
  const bool framed = head.headers.contains("Content-Length") || head.headers.contains("Transfer-Encoding");
  if (has_no_body(head.status)) head.body = {};
  else if (!framed) head.body.how = framing::kind::until_close;  // RFC 9112 §6.3, last case
  head.keep_alive = wants_to_stay(head.headers, head.minor_version) && head.body.how != framing::kind::until_close;
  return head;
}

base::result<void> read_target(std::string_view target, std::string_view method, request& into) {
  if (target.empty()) return fail(errc::bad_target, 0, "a target");
  for (const char c : target)
    if (c <= 0x20 || c >= 0x7f || c == '#') return fail(errc::bad_target, 0, "visible ASCII without a fragment");
  into.target = target;
  into.query_text.clear();
  if (target == "*") {
    if (method != "OPTIONS") return fail(errc::bad_target, 0, "* with OPTIONS only");
    into.path = "*";
    return {};
  }
  // RFC 9112 §3.2.2: a server takes the absolute form too; Host is checked elsewhere and the authority is not used.
  if (target.front() != '/') {
    const auto absolute = url::parse(target);
    if (!absolute) return fail(errc::bad_target, 0, "/path or an absolute URL");
    const auto after = target.find("://") + 3;
    const auto slash = std::min(target.find_first_of("/?", after), target.size());
    target.remove_prefix(slash);
  }
  const auto question = std::min(target.find('?'), target.size());
  auto path = percent_decode(target.substr(0, question));
  if (!path || path->find('\0') != std::string::npos) return fail(errc::bad_target, 0, "a path with valid percent encoding");
  if (path->empty()) *path = "/";
  // No client resolves less than this (RFC 3986 §5.2.4); what is left is an attempt to leave a folder.
  if (has_dot_segment(*path)) return fail(errc::bad_target, 0, "a path without . and ..");
  into.path = std::move(*path);
  if (question != target.size()) into.query_text = target.substr(question + 1);
  return {};
}

namespace {
void append_fields(std::string& out, const fields& f) {
  for (const auto& [name, value] : f) out.append(name).append(": ").append(value).append("\r\n");
  out += "\r\n";
}
}  // namespace

std::string format_request_head(std::string_view method, std::string_view target, const fields& f) {
  std::string out;
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  append_fields(out, f);
  return out;
}

std::string format_response_head(int status, const fields& f) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out.append(reason_phrase(status)).append("\r\n");
  append_fields(out, f);
  return out;
}

}  // namespace strata::http
