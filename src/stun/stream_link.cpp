#include "stun/stream_link.hpp"

#include <array>

#include "async/combine.hpp"

namespace strata::stun {

stream_link::stream_link(std::unique_ptr<net::stream> stream, frame_function on_frame, std::size_t outbox_bytes)
    : stream_(std::move(stream)),
      on_frame_(std::move(on_frame)),
      outbox_(outbox_bytes, [](const base::bytes& b) noexcept { return b.size(); }) {}

bool stream_link::send(base::byte_view message) { return outbox_.try_send(base::to_bytes(message)); }

async::task<base::error> stream_link::run() {
  auto [read, written] = co_await async::first_of(read_frames(), write_frames());
  outbox_.close();
  stream_->close();
  co_return read ? *read : *written;
}

async::task<base::error> stream_link::read_frames() {
  stream_framer framer;
  base::bytes buffer(16 << 10);
  for (;;) {
    const auto count = co_await stream_->read(buffer);
    if (!count) co_return count.error();
    if (*count == 0) co_return base::error(base::errc::closed);
    framer.append(base::byte_view(buffer).first(*count));
    for (;;) {
      const auto next = framer.next();
      if (!next) co_return next.error();
      if (!*next) break;
      on_frame_(**next);
    }
  }
}

async::task<base::error> stream_link::write_frames() {
  while (auto message = co_await outbox_.receive()) {
    if (const auto ok = co_await stream_->write(*message); !ok) co_return ok.error();
  }
  co_return base::error(base::errc::closed);
}

}  // namespace strata::stun
