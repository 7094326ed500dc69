#include "net/rfc4571.hpp"

namespace strata::net {

bool append_frame(base::bytes& out, base::byte_view payload) {
  if (payload.size() > largest_frame) return false;
  out.push_back(static_cast<std::uint8_t>(payload.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(payload.size()));
  base::append(out, payload);
  return true;
}

void frame_reader::append(base::byte_view data) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  consumed_ += at_;
  at_ = 0;
  base::append(buffer_, data);
}

base::result<std::optional<base::byte_view>> frame_reader::next() {
  const auto left = base::byte_view(buffer_).subspan(at_);
  if (left.size() < 2) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(left[0]) << 8 | left[1];
  if (length > largest_) return base::fail(base::errc::too_large, consumed_ + at_, "a frame that is not so large");
  if (left.size() < 2 + length) return std::nullopt;
  at_ += 2 + length;
  return left.subspan(2, length);
}

}  // namespace strata::net
