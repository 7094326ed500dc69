#include "stun/stream_framer.hpp"

#include "stun/channel_data.hpp"
#include "stun/message_view.hpp"
#include "stun/wire.hpp"

namespace strata::stun {

void stream_framer::append(base::byte_view data) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  consumed_ += at_;
  at_ = 0;
  base::append(buffer_, data);
}

base::result<std::optional<frame>> stream_framer::next() {
  const auto rest = base::byte_view(buffer_).subspan(at_);
  if (rest.empty()) return std::nullopt;
  const bool channel = is_channel_data(rest);
  if (!channel && (rest[0] & 0xc0) != 0) return base::fail(errc::not_stun, consumed_ + at_, "STUN or ChannelData");
  if (rest.size() < channel_header_size) return std::nullopt;
  const std::size_t length = wire::u16(rest, 2);
  if (!channel && length % 4 != 0) return base::fail(errc::not_stun, consumed_ + at_ + 2, "a multiple of four");
  const std::size_t size = (channel ? channel_header_size : header_size) + length;
  const std::size_t whole = wire::padded(size);
  if (rest.size() < whole) {
    // Another protocol shows itself in the cookie: no need to wait for 64 KiB of it.
    if (!channel && rest.size() >= 8 && wire::u32(rest, 4) != magic_cookie) {
      return base::fail(errc::not_stun, consumed_ + at_ + 4, "0x2112A442");
    }
    return std::nullopt;
  }
  at_ += whole;
  return frame{channel, rest.first(size)};
}

}  // namespace strata::stun
