// Datagrams in a stream (RFC 4571 §2, used by RFC 6544 §3): rules only.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------------------------------+-------------------------------+
//   |            LENGTH             |  that many octets ...         |
//   +-------------------------------+-------------------------------+
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace strata::net {

constexpr std::size_t largest_frame = 65535;

// False, and nothing appended, when the payload is larger than a frame can be.
bool append_frame(base::bytes& out, base::byte_view payload);

// Cuts a stream into its frames. Whoever appends takes all frames out before appending again, so it holds less than one
// frame and what was read last, however slowly a peer lets octets drip.
class frame_reader {
 public:
  explicit frame_reader(std::size_t largest = largest_frame) noexcept : largest_(largest) {}
  void set_largest(std::size_t octets) noexcept { largest_ = octets; }

  void append(base::byte_view data);
  // The next whole frame, empty ones included, borrowed until the next append(); nothing when octets are missing;
  // base::errc::too_large, at the frame's offset in the stream, when one is announced that is larger than allowed.
  [[nodiscard]] base::result<std::optional<base::byte_view>> next();
  [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size() - at_; }

 private:
  std::size_t largest_;
  base::bytes buffer_;
  std::size_t at_ = 0;
  std::size_t consumed_ = 0;  // offset of the buffer in the stream, for errors
};

}  // namespace strata::net
