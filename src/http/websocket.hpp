// One WebSocket over a stream, either side (RFC 6455). run() does all the work behind it (reading, writing, pings, the
// closing handshake) and must be running for anything else to move:
//
//   co_await async::first_of(ws.run(), talk(ws));                 // a client
//   server.on_websocket                                           // a server's sockets are run by the server
//
// Everything sent goes through one outbox bounded in bytes; everything received through one inbox, and when nobody
// receives, nothing more is read from the peer. Not to be destroyed while run() is running.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/async.hpp"
#include "base/bytes.hpp"
#include "http/error.hpp"
#include "http/websocket_reader.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::http {

struct websocket_message {
  std::string data;  // UTF-8 when text
  bool text = true;
  friend bool operator==(const websocket_message&, const websocket_message&) = default;
};

struct websocket_options {
  std::size_t max_message = 1 << 20;                      // larger: closed with 1009
  std::size_t outbox_bytes = 1 << 20;                     // frames accepted and not yet written
  std::size_t inbox_bytes = 1 << 20;                      // messages received and not yet taken
  base::duration ping_every = std::chrono::seconds(20);   // zero: never
  base::duration pong_within = std::chrono::seconds(10);  // silent for longer after a ping: dead
  base::duration doubt_within = std::chrono::seconds(3);  // the same after doubt()
  base::duration close_within = std::chrono::seconds(5);  // for the peer's half of the closing handshake
};

enum class websocket_state : std::uint8_t { open, closing, closed };  // RFC 6455 §4, §7.1
[[nodiscard]] std::string_view to_string(websocket_state s) noexcept;

struct websocket_counters {
  std::uint64_t sent = 0, received = 0;  // messages
  std::uint64_t sent_bytes = 0, received_bytes = 0;
  std::uint64_t outbox_full = 0;  // try_send said false
};

class websocket {
 public:
  // After the handshake. `already_read` is what came behind the head.
  websocket(net::host& h, std::unique_ptr<net::stream> s, base::bytes already_read, websocket_role own_role,
            websocket_options o, trace::tracer t = {});
  ~websocket();
  websocket(const websocket&) = delete;
  websocket& operator=(const websocket&) = delete;

  async::task<> run();  // returns when the connection has ended, for whatever reason

  // The next whole message. errc::websocket_closed, after the last one, when the socket has closed or is closing.
  [[nodiscard]] async::task<base::result<websocket_message>> receive();

  // Wait for room in the outbox. errc::websocket_closed once a Close was sent or the connection is gone.
  [[nodiscard]] async::task<base::result<void>> send_text(std::string text);  // must be UTF-8: base::errc::invalid otherwise
  [[nodiscard]] async::task<base::result<void>> send_binary(base::bytes data);
  // False, and nothing is sent, when there is no room or the socket is not open. For broadcasts.
  bool try_send_text(std::string_view text);
  bool try_send_binary(base::byte_view data);

  // What was sent goes out first, then the Close. Waits until the connection has ended: at most close_within for the
  // Close to leave, and as long again for the answer. Codes that must not be on the wire count as 1000. Again: waits only.
  async::task<> close(std::uint16_t code = 1000, std::string reason = {});
  void start_close(std::uint16_t code = 1000, std::string_view reason = {});  // the same without waiting
  async::task<> closed();

  // Something that ought to have come did not: a ping goes out at once, and has less time.
  void doubt() { doubted_.pulse(); }

  [[nodiscard]] websocket_state state() const noexcept { return state_; }
  // Of the peer's Close, or 1006 when the connection ended without one; what we sent when we failed it. 1005: no code.
  [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
  [[nodiscard]] const std::string& close_reason() const noexcept { return close_reason_; }
  [[nodiscard]] const std::string& subprotocol() const noexcept { return subprotocol_; }
  void set_subprotocol(std::string s) { subprotocol_ = std::move(s); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return outbox_bytes_; }
  [[nodiscard]] const websocket_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] base::endpoint local_endpoint() const { return local_; }
  [[nodiscard]] base::endpoint remote_endpoint() const { return remote_; }

 private:
  struct end_guard;

  async::task<> converse();
  async::task<> read();
  async::task<bool> handle(websocket_event e);
  async::task<> write();
  async::task<> keep_alive();
  async::task<> limit_closing();
  async::task<> part();
  async::task<base::result<void>> send(opcode op, base::byte_view payload);
  bool try_send(opcode op, base::byte_view payload);
  [[nodiscard]] base::bytes frame(opcode op, base::byte_view payload);
  [[nodiscard]] bool has_room(std::size_t payload) const noexcept;
  void enqueue(opcode op, base::byte_view payload);
  void queue_close(std::uint16_t code, std::string_view reason, bool drop_queued);
  void set_state(websocket_state next, std::string_view reason);
  void note_end(std::uint16_t code, std::string reason);
  void invariant() const;

  net::host& host_;
  std::unique_ptr<net::stream> stream_;
  websocket_role role_;
  websocket_options options_;
  trace::tracer tracer_;
  base::endpoint local_, remote_;
  websocket_reader reader_;
  websocket_state state_ = websocket_state::open;

  std::deque<base::bytes> outbox_;          // data frames
  std::size_t outbox_bytes_ = 0;            // of them and of what is being written
  std::optional<base::bytes> pong_, ping_;  // RFC 6455 §5.5.3: only the latest ping needs an answer
  std::optional<base::bytes> close_frame_;  // goes last
  bool close_queued_ = false;
  bool close_received_ = false;
  bool lost_ = false;                                 // the connection ended by itself
  async::event outbox_work_, outbox_room_, doubted_;  // pulses
  async::event close_asked_, close_left_, ended_;     // set once

  async::channel<websocket_message> inbox_;
  base::instant last_heard_{};
  bool reading_ = false;  // false: the inbox is full, and then silence says nothing about the peer

  bool end_known_ = false;
  std::uint16_t close_code_ = static_cast<std::uint16_t>(http::close_code::abnormal);
  std::string close_reason_, subprotocol_;
  websocket_counters counters_;
};

}  // namespace strata::http
