// One data channel (RFC 8831 §6). Made by an endpoint, shared with whoever uses it; it stays valid, closed, after the
// endpoint and its connection are gone. Every await ends when the channel does. Safe to cancel at every await.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "datachannel/error.hpp"
#include "datachannel/message.hpp"

namespace strata::datachannel {

class endpoint;

enum class channel_state : std::uint8_t { connecting, open, closing, closed };
[[nodiscard]] std::string_view to_string(channel_state s) noexcept;

class channel : public std::enable_shared_from_this<channel> {
 public:
  struct made_by_endpoint {
   private:
    friend class endpoint;
    made_by_endpoint() = default;
  };
  channel(made_by_endpoint, endpoint* owner, channel_options o) : endpoint_(owner), options_(std::move(o)) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel();

  // Until messages can flow both ways: our OPEN is acknowledged, or the peer opened it. Else why not.
  [[nodiscard]] async::task<base::result<void>> opened();

  // Waits while the bounded buffers are full. May be called before the channel is open; it waits then until the OPEN
  // has left (RFC 8832 §6: data may follow it at once). Success means handed to SCTP. errc::too_large, errc::closed.
  [[nodiscard]] async::task<base::result<void>> send(message m);

  // The next message; nothing when the channel has ended and all that came before was taken.
  [[nodiscard]] async::task<std::optional<message>> receive();

  // No more sends. What was sent arrives, then the stream is reset (RFC 8831 §6.7). What is not yet received is lost to
  // this side. Returns at once; any number of times.
  void close();
  [[nodiscard]] async::task<> closed();  // the peer has everything and closed its side as well, or all ended

  [[nodiscard]] channel_state state() const noexcept { return state_; }
  [[nodiscard]] const base::error& error() const noexcept { return error_; }  // why it closed; no code when in order
  [[nodiscard]] const channel_options& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& label() const noexcept { return options_.label; }
  [[nodiscard]] const std::string& protocol() const noexcept { return options_.protocol; }
  // The stream; nothing before the DTLS role is known.
  [[nodiscard]] std::optional<std::uint16_t> id() const noexcept { return id_; }
  [[nodiscard]] std::size_t buffered_amount() const;                            // bytes sent and not acknowledged
  [[nodiscard]] std::size_t waiting() const noexcept { return inbox_.size(); }  // messages received and not taken

 private:
  friend class endpoint;
  void set_state(channel_state next, std::string_view reason);
  void deliver(message m);
  void discard_inbox();

  endpoint* endpoint_;  // null once the channel is closed
  channel_options options_;
  std::optional<std::uint16_t> id_;
  channel_state state_ = channel_state::connecting;
  base::error error_;
  bool may_send_ = false;      // the OPEN, if any, has been handed to SCTP
  bool acknowledged_ = false;  // RFC 8832 §6: until then all messages are sent ordered
  bool reset_asked_ = false;
  bool reset_done_ = false;  // our outgoing side
  bool peer_reset_ = false;  // our incoming side
  std::size_t sending_ = 0;  // sends that wait for room
  std::deque<message> inbox_;
  std::size_t inbox_weight_ = 0;
  bool full_ = false;     // this channel keeps the endpoint from reading
  async::event changed_;  // pulsed at every change of state
  async::event arrived_;  // pulsed for every message
};

}  // namespace strata::datachannel
