// Cuts the bytes of a TCP or TLS stream into STUN messages and ChannelData (RFC 8489 §6.2.2, RFC 8656 §12.5): both say in
// their first four bytes how long they are, and both end on a 32-bit boundary.
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "stun/error.hpp"

namespace strata::stun {

struct frame {
  bool is_channel_data = false;
  base::byte_view bytes;  // a STUN message, or ChannelData without its padding; until the next append()
};

class stream_framer {
 public:
  // Whoever appends takes all frames out before appending again, so the buffer holds less than one frame (64 KiB) and what
  // was read last.
  void append(base::byte_view data);
  // The next whole frame; nothing when more bytes are needed; errc::not_stun when the stream carries something else, which
  // cannot be repaired.
  [[nodiscard]] base::result<std::optional<frame>> next();
  [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size() - at_; }

 private:
  base::bytes buffer_;
  std::size_t at_ = 0;
  std::size_t consumed_ = 0;  // offset of the buffer in the stream, for errors
};

}  // namespace strata::stun
