// Chunked transfer coding (RFC 9112 §7.1), decoded as it arrives.
//
//   chunk   = 1*HEXDIG [;extensions] CRLF data CRLF      last-chunk = 1*"0" [;extensions] CRLF
//   body    = *chunk last-chunk *(trailer CRLF) CRLF
//
// Extensions and trailers are checked for length and control characters and then dropped.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/error.hpp"

namespace strata::http {

class chunked_decoder {
 public:
  explicit chunked_decoder(std::size_t max_body) : max_body_(max_body) {}

  // Takes what it can use of the data and appends the content to `out`; returns how much it took. What follows the end
  // of the body is not taken.
  [[nodiscard]] base::result<std::size_t> decode(base::byte_view data, std::string& out);
  [[nodiscard]] bool done() const noexcept { return state_ == state::done; }

 private:
  enum class state : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done
  };
  static constexpr std::size_t max_line = 1024;       // a size line with its extensions
  static constexpr std::size_t max_overhead = 16384;  // all extensions and trailers together

  [[nodiscard]] base::result<void> step(char c);

  std::size_t max_body_;
  state state_ = state::size;
  std::uint64_t left_ = 0;  // of the chunk: first its size as it is read, then what is to come
  std::size_t digits_ = 0;
  std::size_t line_ = 0;
  std::size_t overhead_ = 0;
  std::size_t total_ = 0;
  bool last_ = false;
};

}  // namespace strata::http
