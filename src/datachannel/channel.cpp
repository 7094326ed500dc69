#include "datachannel/channel.hpp"

#include <utility>

#include "datachannel/endpoint.hpp"

namespace strata::datachannel {
namespace {

// What a message costs beside its octets, so that many empty ones are not free.
constexpr std::size_t message_overhead = 64;

}  // namespace

std::string_view to_string(channel_state s) noexcept {
  switch (s) {
    case channel_state::connecting: return "connecting";
    case channel_state::open: return "open";
    case channel_state::closing: return "closing";
    case channel_state::closed: return "closed";
  }
  return "?";
}

channel::~channel() { discard_inbox(); }

async::task<base::result<void>> channel::opened() {
  const auto self = shared_from_this();
  while (state_ == channel_state::connecting) co_await changed_.wait();
  if (state_ == channel_state::open) co_return base::result<void>();
  co_return base::fail(error_.code ? error_ : base::error(errc::closed));
}

async::task<base::result<void>> channel::send(message m) {
  const auto self = shared_from_this();
  while (state_ == channel_state::connecting && !may_send_) co_await changed_.wait();
  if (has_ended() || link_->owner == nullptr) co_return base::fail(errc::closed);
  co_return co_await link_->owner->send(*this, std::move(m));
}

async::task<std::optional<message>> channel::receive() {
  const auto self = shared_from_this();
  while (inbox_.empty()) {
    if (has_ended()) co_return std::nullopt;
    co_await arrived_.wait();
  }
  std::optional<message> next(std::move(inbox_.front()));
  inbox_.pop_front();
  inbox_weight_ -= next->data.size() + message_overhead;
  weigh();
  co_return next;
}

void channel::close() {
  discard_inbox();
  if (!has_ended() && link_->owner != nullptr) link_->owner->begin_close(*this, {}, "closed here");
}

async::task<> channel::closed() {
  const auto self = shared_from_this();
  while (state_ != channel_state::closed) co_await changed_.wait();
}

std::size_t channel::buffered_amount() const {
  if (state_ == channel_state::closed || link_->owner == nullptr) return unacknowledged_;
  return link_->owner->buffered_amount(*this);
}

void channel::set_state(channel_state next) {
  state_ = next;
  changed_.pulse();
  if (has_ended()) arrived_.pulse();
}

void channel::deliver(message m) {
  inbox_weight_ += m.data.size() + message_overhead;
  inbox_.push_back(std::move(m));
  weigh();
  arrived_.pulse();
}

void channel::discard_inbox() {
  inbox_.clear();
  inbox_weight_ = 0;
  weigh();
}

void channel::weigh() {
  if (link_->owner != nullptr) link_->owner->inbox_changed(*this);
}

bool channel::invariant() const noexcept {
  return (!reset_done_ || reset_asked_) && (state_ != channel_state::open || (may_send_ && id_)) &&
         (inbox_.empty() == (inbox_weight_ == 0)) && (!reset_asked_ || has_ended());
}

}  // namespace strata::datachannel
