// A stream with what was read from it and not yet used, and reads that do not wait for ever.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/async.hpp"
#include "base/bytes.hpp"
#include "http/head.hpp"
#include "net/host.hpp"

namespace strata::http {

// A body may take `grace`, and beyond that the time that it needs at `least_rate` octets a second: a sender that drips is
// cut off, a slow one with a large body is not.
struct body_limits {
  std::size_t bytes = 2 * 1024 * 1024;
  base::duration grace = std::chrono::seconds(10);
  std::size_t least_rate = 1024;
};

class stream_reader {
 public:
  explicit stream_reader(std::unique_ptr<net::stream> s) : stream_(std::move(s)) {}

  [[nodiscard]] net::stream& stream() noexcept { return *stream_; }
  [[nodiscard]] base::byte_view buffered() const noexcept { return base::byte_view(buffer_).subspan(used_); }
  void use(std::size_t n) noexcept { used_ += n; }
  // Gives both away, for what comes after HTTP.
  [[nodiscard]] std::unique_ptr<net::stream> take_stream() noexcept { return std::move(stream_); }
  [[nodiscard]] base::bytes take_buffered();  // and keeps no room for more

  // Reads more into the buffer; 0 at the end of the stream.
  [[nodiscard]] async::task<base::result<std::size_t>> fill(base::instant deadline);

  // The octets of one head, valid until the next read. Nothing: the stream ended, or `idle` passed, before the first of
  // them, as a kept connection does. From its first octet on the head has until `head_time` after it.
  [[nodiscard]] async::task<base::result<std::optional<base::byte_view>>> read_head(head_limits limits, base::duration idle,
                                                                                    base::duration head_time);

  [[nodiscard]] async::task<base::result<std::string>> read_body(framing how, body_limits limits);

 private:
  void skip_empty_lines();

  std::unique_ptr<net::stream> stream_;
  base::bytes buffer_;
  std::size_t used_ = 0;
};

// Closes so that the peer can read what we wrote last: finish, then read and drop for a while. A close with unread octets
// would send a reset, which destroys what is on its way.
[[nodiscard]] async::task<> linger(net::stream& s, base::duration limit = std::chrono::seconds(1));
// Reads and drops until the peer has finished, for at most that long and some megabytes; then closes.
[[nodiscard]] async::task<> await_end(net::stream& s, base::duration limit);

}  // namespace strata::http
