// STUN over one TCP (or TLS) connection: frames in, frames out (RFC 8489 §6.2.2). The owner runs run() for as long as it wants
// the connection; send() queues.
#pragma once

#include <functional>
#include <memory>

#include "async/channel.hpp"
#include "async/task.hpp"
#include "net/host.hpp"
#include "stun/stream_framer.hpp"

namespace strata::stun {

class stream_link {
 public:
  using frame_function = std::function<void(const frame&)>;

  stream_link(std::unique_ptr<net::stream> stream, frame_function on_frame, std::size_t outbox_bytes = 256 << 10);

  // Reads and writes until the stream ends or breaks, or carries something else; says why.
  [[nodiscard]] async::task<base::error> run();
  // False: the outbox is full, or the connection is over.
  bool send(base::byte_view message);
  [[nodiscard]] base::endpoint remote_endpoint() const { return stream_->remote_endpoint(); }

 private:
  async::task<base::error> read_frames();
  async::task<base::error> write_frames();

  std::unique_ptr<net::stream> stream_;
  frame_function on_frame_;
  async::channel<base::bytes> outbox_;
};

}  // namespace strata::stun
