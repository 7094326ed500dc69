// The way to a TURN server: a UDP socket, or one TCP or TLS connection (RFC 8656 §3.1). What comes in are STUN messages and
// ChannelData, whole.
#pragma once

#include <functional>
#include <memory>

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "turn/server_info.hpp"

namespace strata::turn {

class transport {
 public:
  using frame_function = std::function<void(base::byte_view frame)>;

  virtual ~transport() = default;
  // False: the outbox is full, or the connection is over.
  virtual bool send(base::byte_view frame, bool is_channel_data) = 0;
  // Until the connection is lost, or for as long as it is awaited: it may be cancelled and begun again between two frames.
  [[nodiscard]] virtual async::task<base::error> receive(frame_function on_frame) = 0;
  [[nodiscard]] virtual base::endpoint local_endpoint() const = 0;
  [[nodiscard]] virtual base::endpoint server() const = 0;
  virtual void redirect(const base::endpoint& server) = 0;  // UDP only: from now on to there
  [[nodiscard]] virtual bool reliable() const = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;

  std::function<void(base::errc why)> on_unreachable;  // the network says that the server cannot be reached at the moment
};

struct open_options {
  bool dont_fragment = false;
  base::duration limit = std::chrono::seconds(10);  // for the connection and TLS
};

[[nodiscard]] async::task<base::result<std::unique_ptr<transport>>> open_transport(net::host& h, const server_info& s,
                                                                                   base::endpoint address, open_options o);

}  // namespace strata::turn
