// Closing (RFC 8831 §6.7): each side resets its outgoing half of the stream; when both halves are reset the channel is
// closed and its id is free.
#include <algorithm>

#include "datachannel/endpoint.hpp"

namespace strata::datachannel {

void endpoint::begin_close(channel& c, base::error why, std::string_view reason) {
  if (c.has_ended()) return;
  c.error_ = why;
  if (!c.id_) {  // not numbered yet: nobody knows of it
    const auto keep = c.shared_from_this();
    std::erase(unnumbered_, keep);
    return finish(c, why, reason);
  }
  const order open{order::kind::open, *c.id_};
  const auto unsent = std::find(orders_.begin(), orders_.end(), open);
  const bool unknown_to_peer = c.state_ == channel_state::connecting && (unsent != orders_.end() || !started_);
  if (unknown_to_peer) {
    const auto keep = c.shared_from_this();
    if (unsent != orders_.end()) orders_.erase(unsent);
    by_id_.erase(*c.id_);
    return finish(c, why, reason);
  }
  set_state(c, channel_state::closing, reason);
  if (c.may_send_) ask_reset(c);  // else when its OPEN is out
}

void endpoint::ask_reset(channel& c) {
  // What still waits for room in send() was accepted before the close and goes first.
  if (c.reset_asked_ || c.sending_ != 0 || ended_) return;
  c.reset_asked_ = true;
  enqueue({order::kind::reset, *c.id_});
}

void endpoint::on_reset(sctp::association::reset what, std::uint16_t id) {
  auto* c = find(id);
  if (c == nullptr || ended_) return;
  using reset = sctp::association::reset;
  switch (what) {
    case reset::incoming:
      c->peer_reset_ = true;
      // RFC 8831 §6.7: then ours is reset as well. What came before stays in the inbox.
      begin_close(*c, c->state_ == channel_state::connecting ? base::error(errc::refused) : base::error(), "reset by the peer");
      break;
    case reset::outgoing:
    case reset::outgoing_failed:  // nothing more can be done about it
      if (!c->reset_asked_) return;
      c->reset_done_ = true;
      if (!c->peer_reset_) {
        late_.emplace_back(host_.now() + config_.reset_patience, id);
        late_changed_.pulse();
      }
      break;
  }
  c = find(id);
  if (c == nullptr || !c->reset_done_ || !c->peer_reset_) return;
  const auto keep = c->shared_from_this();
  by_id_.erase(id);
  finish(*c, c->error_, "both sides reset");
}

// A stream that carries no channel of ours and shall not: nothing is answered but the reset.
void endpoint::refuse_stream(std::uint16_t id) {
  const order reset{order::kind::reset, id};
  if (std::find(orders_.begin(), orders_.end(), reset) == orders_.end()) enqueue(reset);
}

void endpoint::finish(channel& c, base::error why, std::string_view reason) {
  if (c.state_ == channel_state::closed) return;
  if (!c.has_ended()) c.error_ = why;
  if (association_ != nullptr && c.id_) c.unacknowledged_ = association_->buffered_bytes(sctp::stream_id(*c.id_));
  set_state(c, channel_state::closed, reason);
}

}  // namespace strata::datachannel
