// Octets in, messages out (RFC 6455 §5.4-§5.6): frames are unmasked, fragments joined, UTF-8 checked as it arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "http/websocket_frame.hpp"

namespace strata::http {

enum class websocket_role : std::uint8_t { client, server };

struct websocket_event {
  enum class kind : std::uint8_t { text, binary, ping, pong, close, violation };
  kind what = kind::text;
  std::string data;        // of the message or control frame; reason of a close or a violation
  std::uint16_t code = 0;  // of a close (1005: it had none); of a violation: what our Close has to say
  friend bool operator==(const websocket_event&, const websocket_event&) = default;
};

// After a close or a violation nothing more comes out and what is fed is dropped (RFC 6455 §7.1.7).
class websocket_reader {
 public:
  // `own_role` is that of the side that reads: a server wants masked frames, a client unmasked ones.
  websocket_reader(websocket_role own_role, std::size_t max_message) : role_(own_role), max_message_(max_message) {}

  void feed(base::byte_view data);
  // The next event in what was fed, or nothing until more is.
  [[nodiscard]] std::optional<websocket_event> next();
  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  void let_go();
  [[nodiscard]] std::optional<websocket_event> begin_frame();
  [[nodiscard]] std::optional<websocket_event> end_frame();
  void take_payload();
  [[nodiscard]] websocket_event fail(close_code code, std::string_view why);

  websocket_role role_;
  std::size_t max_message_;
  base::bytes buffer_;                 // fed and not yet used
  std::size_t used_ = 0;               // of buffer_
  std::optional<frame_header> frame_;  // whose payload is being read
  std::uint64_t taken_ = 0;            // of that payload
  std::string message_;                // of the data frames so far
  std::optional<opcode> message_op_;   // a message is under way
  std::string control_;
  base::utf8_checker utf8_;
  bool utf8_broken_ = false;
  bool ended_ = false;
};

}  // namespace strata::http
