#include "http/websocket_reader.hpp"

#include <algorithm>
#include <utility>

namespace strata::http {

void websocket_reader::feed(base::byte_view data) {
  if (ended_) return;
  if (used_ != 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
  }
  base::append(buffer_, data);
}

std::optional<websocket_event> websocket_reader::next() {
  while (!ended_) {
    if (!frame_) {
      if (auto e = begin_frame()) return e;
      if (!frame_) {
        let_go();
        return std::nullopt;
      }
    }
    take_payload();
    // RFC 6455 §8.1: as soon as it is known, not only when the message is whole.
    if (utf8_broken_) return fail(close_code::invalid_payload, "text that is not UTF-8");
    if (taken_ != frame_->length) return std::nullopt;
    if (auto e = end_frame()) return e;
  }
  return std::nullopt;
}

// Between messages nothing is kept: many sockets are silent for hours.
void websocket_reader::let_go() {
  if (used_ != buffer_.size() || used_ == 0) return;
  buffer_ = base::bytes();  // "= {}" would keep the room
  used_ = 0;
}

std::optional<websocket_event> websocket_reader::begin_frame() {
  const auto parsed = parse_frame_header(base::byte_view(buffer_).subspan(used_));
  if (!parsed) return fail(close_code::protocol_error, parsed.error().expected);
  if (!*parsed) return std::nullopt;
  const auto& h = (*parsed)->header;
  // RFC 6455 §5.1: clients mask everything, servers nothing.
  if (h.mask.has_value() != (role_ == websocket_role::server))
    return fail(close_code::protocol_error, role_ == websocket_role::server ? "a masked frame" : "an unmasked frame");
  if (!is_control(h.op)) {
    // RFC 6455 §5.4: the fragments of one message follow each other.
    if (h.op == opcode::continuation && !message_op_) return fail(close_code::protocol_error, "a message to continue");
    if (h.op != opcode::continuation && message_op_) return fail(close_code::protocol_error, "the rest of the message");
    if (h.length > max_message_ - message_.size()) return fail(close_code::too_large, "a smaller message");
    if (!message_op_) {
      message_op_ = h.op;
      utf8_ = {};
    }
  }
  used_ += (*parsed)->size;
  frame_ = h;
  taken_ = 0;
  return std::nullopt;
}

void websocket_reader::take_payload() {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(frame_->length - taken_, buffer_.size() - used_));
  const auto piece = base::byte_span(buffer_).subspan(used_, n);
  if (frame_->mask) apply_mask(piece, *frame_->mask, static_cast<std::size_t>(taken_ & 3));
  if (is_control(frame_->op)) {
    control_.append(base::as_text(piece));
  } else {
    if (message_op_ == opcode::text && !utf8_.feed(piece)) utf8_broken_ = true;
    message_.append(base::as_text(piece));
  }
  used_ += n;
  taken_ += n;
}

std::optional<websocket_event> websocket_reader::end_frame() {
  using kind = websocket_event::kind;
  const auto h = *frame_;
  frame_.reset();
  switch (h.op) {
    case opcode::ping: return websocket_event{kind::ping, std::exchange(control_, {}), 0};
    case opcode::pong: return websocket_event{kind::pong, std::exchange(control_, {}), 0};
    case opcode::close: {
      const auto payload = std::exchange(control_, {});
      const auto body = parse_close(base::as_bytes(payload));
      // RFC 6455 §8.1: a reason that is not UTF-8 is invalid payload; the rest is a broken protocol.
      if (!body) {
        const bool text = body.error().offset == 2;
        return fail(text ? close_code::invalid_payload : close_code::protocol_error, body.error().expected);
      }
      ended_ = true;
      return websocket_event{kind::close, std::string(body->reason), body->code};
    }
    default: break;
  }
  if (!h.fin) return std::nullopt;
  const bool text = message_op_ == opcode::text;
  if (text && !utf8_.complete()) return fail(close_code::invalid_payload, "text that ends with a whole character");
  message_op_.reset();
  return websocket_event{text ? kind::text : kind::binary, std::exchange(message_, {}), 0};
}

websocket_event websocket_reader::fail(close_code code, std::string_view why) {
  ended_ = true;
  buffer_.clear();
  message_.clear();
  return {websocket_event::kind::violation, std::string(why), static_cast<std::uint16_t>(code)};
}

}  // namespace strata::http
