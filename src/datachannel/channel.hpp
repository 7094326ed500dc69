// One data channel (RFC 8831 §6). Made by an endpoint, shared with whoever uses it; it stays valid, closed, after the
// endpoint and its connection are gone. Every await ends when the channel does. Safe to cancel at every await.
//
// Flow control. send() waits while the stream's share of the send buffer is used up. A channel that is not received from
// fills its inbox; at the bound its endpoint stops reading from the association, and the peer has to stop. SCTP has one
// window for all streams: a channel that nobody reads holds up its neighbours. Close channels that are of no interest.
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
struct endpoint_link {
  endpoint* owner;  // null once the endpoint is gone
};

enum class channel_state : std::uint8_t { connecting, open, closing, closed };
[[nodiscard]] std::string_view to_string(channel_state s) noexcept;

class channel : public std::enable_shared_from_this<channel> {
 public:
  class made_by_endpoint {
    friend class endpoint;
    made_by_endpoint() = default;
  };
  channel(made_by_endpoint, std::shared_ptr<endpoint_link> link, channel_options o)
      : link_(std::move(link)), options_(std::move(o)) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel();

  // Until messages can flow both ways: the peer acknowledged our OPEN, or opened the channel itself. Else why not.
  [[nodiscard]] async::task<base::result<void>> opened();

  // Waits while the bounded buffers are full. May be called before the channel is open: it waits then until the OPEN has
  // left (RFC 8832 §6: data may follow it at once). Success means handed to SCTP, in the order of the calls.
  // errc::too_large, errc::closed. Cancelled while it waits, nothing of the message is sent.
  [[nodiscard]] async::task<base::result<void>> send(message m);

  // The next message; nothing when the channel has ended and all that came before has been taken.
  [[nodiscard]] async::task<std::optional<message>> receive();

  // No more sends. What was sent arrives, then the stream is reset (RFC 8831 §6.7). What has not been received is thrown
  // away. Returns at once; any number of times.
  void close();
  // The peer has everything and has closed its side as well; or the association ended.
  [[nodiscard]] async::task<> closed();

  [[nodiscard]] channel_state state() const noexcept { return state_; }
  [[nodiscard]] const base::error& error() const noexcept { return error_; }  // why it closed; no code: in good order
  [[nodiscard]] const channel_options& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& label() const noexcept { return options_.label; }
  [[nodiscard]] const std::string& protocol() const noexcept { return options_.protocol; }
  // The stream; nothing before the DTLS role is known.
  [[nodiscard]] std::optional<std::uint16_t> id() const noexcept { return id_; }
  // Octets handed to SCTP and not acknowledged (an estimate); after the end, those that never were.
  [[nodiscard]] std::size_t buffered_amount() const;
  [[nodiscard]] std::size_t waiting() const noexcept { return inbox_.size(); }  // messages received and not taken
  [[nodiscard]] bool invariant() const noexcept;

 private:
  friend class endpoint;
  void set_state(channel_state next);
  void deliver(message m);
  void discard_inbox();
  void weigh();
  [[nodiscard]] bool has_ended() const noexcept { return state_ == channel_state::closing || state_ == channel_state::closed; }

  std::shared_ptr<endpoint_link> link_;
  channel_options options_;
  std::optional<std::uint16_t> id_;
  channel_state state_ = channel_state::connecting;
  base::error error_;
  bool may_send_ = false;      // the OPEN, if there is one, has been handed to SCTP
  bool acknowledged_ = false;  // RFC 8832 §6: until then all messages are sent ordered
  bool reset_asked_ = false;
  bool reset_done_ = false;         // of our outgoing side
  bool peer_reset_ = false;         // our incoming side
  std::size_t unacknowledged_ = 0;  // at the end
  std::size_t sending_ = 0;         // sends that wait for room
  std::deque<message> inbox_;
  std::size_t inbox_weight_ = 0;
  std::size_t counted_weight_ = 0;  // of the inbox, as the endpoint last saw it
  base::bytes part_;                // of a message that comes in deprecated parts
  async::event changed_;            // pulsed at every change of state
  async::event arrived_;            // pulsed for every message, and at the end
};

}  // namespace strata::datachannel
