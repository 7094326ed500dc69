// Heads of HTTP/1.1 messages (RFC 9112 §2-§6), read strictly: what two readers could understand in two ways is refused,
// since the difference is how requests are smuggled past a proxy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/error.hpp"
#include "http/fields.hpp"
#include "http/message.hpp"

namespace strata::http {

struct head_limits {
  std::size_t bytes = 16 * 1024;  // start line and fields together, with their line ends
  std::size_t start_line = 8192;  // RFC 9112 §3: at least 8000
  std::size_t fields = 100;
};

// How long a body is (RFC 9112 §6.3).
struct framing {
  enum class kind : std::uint8_t { none, length, chunked, until_close };
  kind how = kind::none;
  std::uint64_t length = 0;
  friend bool operator==(const framing&, const framing&) = default;
};

struct request_head {
  std::string method, target;
  int minor_version = 1;
  fields headers;
  framing body;
  bool keep_alive = true;  // RFC 9112 §9.3
  friend bool operator==(const request_head&, const request_head&) = default;
};

struct response_head {
  int status = 0;
  int minor_version = 1;
  std::string reason;
  fields headers;
  framing body;  // as if it answered a GET
  bool keep_alive = true;
  friend bool operator==(const response_head&, const response_head&) = default;
};

// The size of the head at the beginning of the data, with the empty line that ends it; nothing when more is needed.
// Fails as soon as it is clear that no head can come of this (a bare CR or LF, too large), so that nobody waits for it.
[[nodiscard]] base::result<std::optional<std::size_t>> find_head_end(base::byte_view data, const head_limits& limits = {});

// `data` is one whole head as find_head_end() measured it. Errors carry the offset.
[[nodiscard]] base::result<request_head> parse_request_head(base::byte_view data, const head_limits& limits = {});
[[nodiscard]] base::result<response_head> parse_response_head(base::byte_view data, const head_limits& limits = {});

// RFC 9112 §3.2: origin form, absolute form and "*". Fills target, path and query of a request.
[[nodiscard]] base::result<void> read_target(std::string_view target, std::string_view method, request& into);

// Heads as they go out; the fields must be valid(). No framing is added: what is in the fields is what is sent.
[[nodiscard]] std::string format_request_head(std::string_view method, std::string_view target, const fields& f);
[[nodiscard]] std::string format_response_head(int status, const fields& f);

}  // namespace strata::http
