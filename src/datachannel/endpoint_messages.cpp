// What comes in on the streams and what goes out on them.
#include <algorithm>
#include <utility>

#include "datachannel/dcep.hpp"
#include "datachannel/endpoint.hpp"
#include "datachannel/ppid.hpp"
#include "datachannel/stream_ids.hpp"

namespace strata::datachannel {

async::task<base::result<void>> endpoint::send(channel& c, message m) {
  if (config_.peer_max_message_size != 0 && m.data.size() > config_.peer_max_message_size)
    co_return base::fail(errc::too_large);
  // The channel goes on to its reset when the last of these has ended, however it ends.
  struct in_flight {
    std::shared_ptr<channel> c;
    explicit in_flight(channel& of) : c(of.shared_from_this()) { ++c->sending_; }
    ~in_flight() {
      if (--c->sending_ == 0 && c->state_ == channel_state::closing && c->link_->owner != nullptr)
        c->link_->owner->ask_reset(*c);
    }
  } const guard(c);
  // exception: 8831-6.6-h the limit is the peer's max-message-size; I-DATA is there for those whose neighbours are in a hurry
  sctp::message_out out;
  out.stream = sctp::stream_id(*c.id_);
  out.protocol = sctp::ppid(static_cast<std::uint32_t>(payload_of(m.text, m.data.empty())));
  out.data = m.data.empty() ? base::byte_view(nothing) : base::byte_view(m.data);
  // RFC 8832 §6: nothing may overtake the OPEN, so everything is ordered until the peer has shown that it has it.
  out.ordered = c.options_.ordered || !c.acknowledged_;
  if (c.options_.max_retransmits) out.reliability = sctp::reliability::max_retransmits(*c.options_.max_retransmits);
  else if (c.options_.max_lifetime) out.reliability = sctp::reliability::max_lifetime(*c.options_.max_lifetime);
  const auto sent = co_await association_->send(out);
  if (!sent) co_return base::fail(errc::closed);
  co_return base::result<void>();
}

std::size_t endpoint::buffered_amount(const channel& c) const {
  return association_ != nullptr && c.id_ ? association_->buffered_bytes(sctp::stream_id(*c.id_)) : 0;
}

void endpoint::inbox_changed(channel& c) {
  const auto was_full = c.counted_weight_ >= config_.receive_buffer;
  received_ += c.inbox_weight_ - c.counted_weight_;
  c.counted_weight_ = c.inbox_weight_;
  const auto is_full = c.counted_weight_ >= config_.receive_buffer;
  if (is_full != was_full) full_ += is_full ? 1 : static_cast<std::size_t>(-1);
  const bool read = full_ == 0 && received_ < config_.receive_buffer_total;
  if (read == reading_ || ended_) return;
  reading_ = read;
  association_->set_reading(read);
}

void endpoint::on_message(sctp::message_in m) {
  if (ended_) return;
  const auto id = m.stream.value;
  if (m.protocol.value == static_cast<std::uint32_t>(payload::dcep)) return on_control(id, m.data);
  auto* c = find(id);
  if (c == nullptr) {
    drop(&counters::without_channel, "user data on a stream without a channel", m.data.size());
    return refuse_stream(id);
  }
  if (c->has_ended()) return drop(&counters::after_close, "message for a closed channel", m.data.size());
  on_data(*c, std::move(m));
}

void endpoint::on_control(std::uint16_t id, base::byte_view data) {
  auto message = parse_dcep(data);
  if (message) {
    if (auto* open = std::get_if<open_message>(&*message)) return on_open(id, options_of(*open));
    return on_acknowledge(id);
  }
  // RFC 8832 §6: the stream is reset and nothing is answered; the other channels go on.
  drop(&counters::malformed, "DCEP message that cannot be read", data.size());
  if (auto* c = find(id)) begin_close(*c, message.error(), "malformed DCEP message");
  else refuse_stream(id);
}

void endpoint::on_open(std::uint16_t id, channel_options o) {
  if (auto* c = find(id)) {
    drop(&counters::duplicate_open, "OPEN on a stream in use", 0);
    return begin_close(*c, base::error(errc::id_in_use), "the peer opened the stream again");
  }
  if (is_ours(id, config_.dtls_client)) {
    drop(&counters::wrong_parity, "OPEN on a stream of our parity", 0);
    return refuse_stream(id);
  }
  auto c = make(std::move(o));
  if (id >= association_->stats().streams_out || !accepted_.try_send(c)) {
    drop(&counters::refused, "more channels than anybody accepts", 0);
    return refuse_stream(id);
  }
  c->id_ = id;
  by_id_.emplace(id, c);
  c->may_send_ = c->acknowledged_ = true;
  set_state(*c, channel_state::open, "opened by the peer");
  enqueue({order::kind::acknowledge, id});
}

void endpoint::on_acknowledge(std::uint16_t id) {
  auto* c = find(id);
  if (c == nullptr || c->acknowledged_ || !c->may_send_) return drop(&counters::stray_ack, "ACK without an open request", 1);
  c->acknowledged_ = true;
  if (c->state_ == channel_state::connecting) set_state(*c, channel_state::open, "acknowledged");
}

void endpoint::on_data(channel& c, sctp::message_in m) {
  const auto kind = static_cast<payload>(m.protocol.value);
  switch (kind) {
    case payload::text:
    case payload::binary:
    case payload::empty_text:
    case payload::empty_binary:
    case payload::text_part:
    case payload::binary_part: break;
    default:
      // RFC 8831 §6.6: an unsupported payload protocol closes the channel.
      drop(&counters::unknown_ppid, "unknown payload protocol", m.data.size());
      return begin_close(c, base::error(errc::closed, base::error::nowhere, "a payload protocol of RFC 8831"),
                         "unknown payload protocol");
  }
  // RFC 8832 §6: any message proves that the peer has our OPEN.
  if (c.state_ == channel_state::connecting && c.may_send_) {
    c.acknowledged_ = true;
    set_state(c, channel_state::open, "the peer sends");
  }
  const bool empty = kind == payload::empty_text || kind == payload::empty_binary;
  if (empty) m.data.clear();
  if (c.part_.size() + m.data.size() > config_.max_message_size) return on_too_large(*c.id_);
  if (kind == payload::text_part || kind == payload::binary_part) return base::append(c.part_, m.data);
  if (!c.part_.empty()) {
    base::append(c.part_, m.data);
    m.data = std::exchange(c.part_, {});
  }
  c.deliver({std::move(m.data), kind == payload::text || kind == payload::empty_text});
}

void endpoint::on_too_large(std::uint16_t id) {
  if (ended_) return;
  drop(&counters::too_large, "message larger than we announced", static_cast<std::size_t>(config_.max_message_size));
  // RFC 8841 §6.1: a peer that ignores the announced size cannot be served.
  if (auto* c = find(id)) begin_close(*c, base::error(errc::too_large), "the peer sent a message that is too large");
  else refuse_stream(id);
}

void endpoint::drop(std::uint64_t counters::* which, std::string_view reason, std::size_t size) {
  ++(counters_.*which);
  tracer_(host_.now(), trace::drop{trace::layer::datachannel, reason, {}, size});
}

}  // namespace strata::datachannel
