// The data channels of one association: opens and accepts them (RFC 8832), moves their messages (RFC 8831 §6.6), closes
// them (§6.7).
//
// Channels may be made before there is an association: they get their ids and open when attach() has told the DTLS role
// and run() runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "async/channel.hpp"
#include "async/event.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "datachannel/channel.hpp"
#include "datachannel/message.hpp"
#include "net/host.hpp"
#include "sctp/association.hpp"
#include "trace/sink.hpp"

namespace strata::datachannel {

struct endpoint_config {
  bool dtls_client = false;                     // RFC 8832 §6: the client takes even ids, the server odd ones
  std::uint64_t max_message_size = 256u << 10;  // inbound; what we announced (RFC 8841 §6)
  std::uint64_t peer_max_message_size = 65536;  // outbound; 0: any size
  // Received and not taken: of one channel, and of all together. Beyond either nothing is read from the association.
  std::size_t receive_buffer = 1u << 20;
  std::size_t receive_buffer_total = 8u << 20;
  std::size_t most_waiting = 256;                            // channels the peer opened and nobody accepted; more are refused
  base::duration reset_patience = std::chrono::seconds(10);  // for the peer's reset, once ours is done
};

// Input that was not used.
struct counters {
  std::uint64_t malformed = 0;       // DCEP messages
  std::uint64_t wrong_parity = 0;    // OPEN on a stream of ours
  std::uint64_t duplicate_open = 0;  // OPEN on a stream that carries a channel
  std::uint64_t stray_ack = 0;       // ACK on a stream without an unanswered OPEN of ours
  std::uint64_t unknown_ppid = 0;
  std::uint64_t without_channel = 0;  // user data on a stream without a channel
  std::uint64_t too_large = 0;
  std::uint64_t refused = 0;      // OPENs beyond most_waiting
  std::uint64_t after_close = 0;  // messages for a channel that was closed here
};

class endpoint {
 public:
  endpoint(net::host& host, endpoint_config c, trace::tracer tracer);
  endpoint(net::host& host, sctp::association& a, endpoint_config c, trace::tracer tracer);  // attached
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;
  ~endpoint();

  // Takes over the association's callbacks. The association must outlive the endpoint. Once.
  void attach(sctp::association& a, bool dtls_client, std::uint64_t peer_max_message_size);

  // All background work; needs attach(). Ends when the association has ended or close() was called. Every channel is
  // closed by then. Cancelling it is closing.
  [[nodiscard]] async::task<> run();

  // Never null. When the options are wrong or no id is left, the channel is closed and its error() says why.
  [[nodiscard]] std::shared_ptr<channel> create(channel_options o);
  // The next channel that the peer opened; null: the endpoint has ended.
  [[nodiscard]] async::task<std::shared_ptr<channel>> accept();

  // Ends all channels here and now; what they sent is SCTP's to deliver. Nothing is called or sent afterwards.
  void close();

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::size_t channels() const noexcept { return by_id_.size() + unnumbered_.size(); }
  [[nodiscard]] const counters& drops() const noexcept { return counters_; }
  [[nodiscard]] bool invariant() const noexcept;

 private:
  friend class channel;
  using pointer = std::shared_ptr<channel>;
  struct order {  // what run() has to do, one after the other
    enum class kind : std::uint8_t { open, acknowledge, reset } what;
    std::uint16_t id;
    friend bool operator==(const order&, const order&) = default;
  };

  // endpoint.cpp
  [[nodiscard]] pointer make(channel_options o);
  void add(const pointer& c, std::uint16_t id);
  void number(const pointer& c);
  void start(channel& c);
  void enqueue(order o);
  [[nodiscard]] async::task<> carry_out();
  [[nodiscard]] async::task<> carry_out_open(std::uint16_t id);
  [[nodiscard]] async::task<> watch_resets();
  [[nodiscard]] async::task<> association_over();
  [[nodiscard]] bool standing() const;
  [[nodiscard]] channel* find(std::uint16_t id) const;
  void set_state(channel& c, channel_state next, std::string_view reason);

  // endpoint_messages.cpp
  [[nodiscard]] async::task<base::result<void>> send(channel& c, message m);
  [[nodiscard]] std::size_t buffered_amount(const channel& c) const;
  void inbox_changed(channel& c);
  void on_message(sctp::message_in m);
  void on_control(std::uint16_t id, base::byte_view data);
  void on_open(std::uint16_t id, channel_options o);
  void on_acknowledge(std::uint16_t id);
  void on_data(channel& c, sctp::message_in m);
  void on_too_large(std::uint16_t id);
  void drop(std::uint64_t counters::* which, std::string_view reason, std::size_t size);

  // endpoint_close.cpp
  void begin_close(channel& c, base::error why, std::string_view reason);
  void ask_reset(channel& c);
  void on_reset(sctp::association::reset what, std::uint16_t id);
  void refuse_stream(std::uint16_t id);
  void finish(channel& c, base::error why, std::string_view reason);

  net::host& host_;
  endpoint_config config_;
  trace::tracer tracer_;
  sctp::association* association_ = nullptr;
  std::shared_ptr<endpoint_link> link_;
  std::map<std::uint16_t, pointer> by_id_;  // also closed ones, until both sides of the stream are reset
  std::deque<pointer> unnumbered_;          // made before the DTLS role was known
  async::channel<pointer> accepted_;
  bool started_ = false;  // run() runs and the association stands
  std::deque<order> orders_;
  async::event work_;                                         // pulsed for orders, and changes of the association's state
  std::deque<std::pair<base::instant, std::uint16_t>> late_;  // streams whose peer owes us a reset, oldest first
  async::event late_changed_;
  std::size_t received_ = 0;  // weight of all inboxes
  std::size_t full_ = 0;      // inboxes at their bound
  bool reading_ = true;
  counters counters_;
  bool ended_ = false;
  async::event end_;
};

}  // namespace strata::datachannel
