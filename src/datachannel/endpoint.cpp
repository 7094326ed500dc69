#include "datachannel/endpoint.hpp"

#include <algorithm>
#include <cassert>
#include <string>

#include "async/async.hpp"
#include "datachannel/dcep.hpp"
#include "datachannel/ppid.hpp"
#include "datachannel/stream_ids.hpp"

namespace strata::datachannel {
namespace {

async::task<> until(async::event& e) { co_await e.wait(); }

// Nothing wrong: nullopt.
std::optional<base::error> objection(const channel_options& o) {
  if (o.max_retransmits && o.max_lifetime)
    return base::error(errc::invalid_options, base::error::nowhere, "one reliability limit at most");
  if (o.label.size() > 65535 || o.protocol.size() > 65535)
    return base::error(errc::invalid_options, base::error::nowhere, "label and protocol of at most 65535 octets");
  if (o.negotiated != o.id.has_value())
    return base::error(errc::invalid_options, base::error::nowhere, "an id for a negotiated channel, and for no other");
  if (o.id && *o.id > highest_stream_id) return base::error(errc::invalid_options, base::error::nowhere, "an id up to 65534");
  return std::nullopt;
}

}  // namespace

endpoint::endpoint(net::host& host, endpoint_config c, trace::tracer tracer)
    : host_(host),
      config_(c),
      tracer_(std::move(tracer)),
      link_(std::make_shared<endpoint_link>(endpoint_link{this})),
      accepted_(c.most_waiting) {}

endpoint::endpoint(net::host& host, sctp::association& a, endpoint_config c, trace::tracer tracer)
    : endpoint(host, c, std::move(tracer)) {
  attach(a, c.dtls_client, c.peer_max_message_size);
}

endpoint::~endpoint() {
  close();
  link_->owner = nullptr;
  if (association_ == nullptr) return;
  association_->on_message = nullptr;
  association_->on_too_large = nullptr;
  association_->on_stream_reset = nullptr;
  association_->on_state = nullptr;
}

void endpoint::attach(sctp::association& a, bool dtls_client, std::uint64_t peer_max_message_size) {
  assert(association_ == nullptr && "an endpoint has one association");
  association_ = &a;
  config_.dtls_client = dtls_client;
  config_.peer_max_message_size = peer_max_message_size;
  a.set_max_message_size(static_cast<std::size_t>(config_.max_message_size));
  a.on_message = [this](sctp::message_in m) { on_message(std::move(m)); };
  a.on_too_large = [this](sctp::stream_id s) { on_too_large(s.value); };
  a.on_stream_reset = [this](sctp::association::reset what, std::span<const sctp::stream_id> streams) {
    for (const auto s : streams) on_reset(what, s.value);
  };
  a.on_state = [this] { work_.pulse(); };
  for (const auto& c : std::exchange(unnumbered_, {})) number(c);
}

async::task<> endpoint::run() {
  struct at_end {
    endpoint& self;
    ~at_end() { self.close(); }
  } const guard{*this};
  if (ended_) co_return;
  co_await async::first_of(carry_out(), watch_resets(), association_over(), until(end_));
}

async::task<> endpoint::association_over() { co_await association_->closed(); }

bool endpoint::standing() const {
  const auto s = association_->current_state();
  return s == sctp::state::established || s == sctp::state::shutting_down;
}

std::shared_ptr<channel> endpoint::create(channel_options o) {
  auto c = make(std::move(o));
  std::optional<base::error> wrong = objection(c->options_);
  if (!wrong && ended_) wrong = base::error(errc::closed);
  // RFC 8831 §6.5: opening a stream that is in use must fail.
  if (!wrong && c->options_.id && by_id_.contains(*c->options_.id)) wrong = base::error(errc::id_in_use);
  if (wrong) {
    c->error_ = *wrong;
    c->set_state(channel_state::closed);
  } else if (c->options_.id) {
    add(c, *c->options_.id);
  } else if (association_ == nullptr) {
    unnumbered_.push_back(c);
  } else {
    number(c);
  }
  return c;
}

endpoint::pointer endpoint::make(channel_options o) {
  return std::make_shared<channel>(channel::made_by_endpoint(), link_, std::move(o));
}

void endpoint::number(const pointer& c) {
  const auto streams = standing() ? association_->stats().streams_out : std::uint32_t{highest_stream_id} + 1;
  const auto id = free_stream_id(config_.dtls_client, streams, [this](std::uint16_t n) { return by_id_.contains(n); });
  if (id) return add(c, *id);
  c->error_ = base::error(errc::no_free_id);
  c->set_state(channel_state::closed);
}

void endpoint::add(const pointer& c, std::uint16_t id) {
  c->id_ = id;
  by_id_.emplace(id, c);
  if (started_) start(*c);
}

void endpoint::start(channel& c) {
  if (*c.id_ >= association_->stats().streams_out) {
    const auto id = *c.id_;
    finish(c, base::error(errc::no_such_stream), "the association has fewer streams");
    by_id_.erase(id);
    return;
  }
  if (!c.options_.negotiated) return enqueue({order::kind::open, *c.id_});
  // Both sides know of it (RFC 8831 §6.5): no message is needed, and none may be reordered with an OPEN.
  c.may_send_ = c.acknowledged_ = true;
  set_state(c, channel_state::open, "negotiated");
}

void endpoint::enqueue(order o) {
  orders_.push_back(o);
  work_.pulse();
}

async::task<std::shared_ptr<channel>> endpoint::accept() {
  auto next = co_await accepted_.receive();
  co_return next ? std::move(*next) : nullptr;
}

async::task<> endpoint::carry_out() {
  while (!standing()) co_await work_.wait();
  started_ = true;
  std::vector<pointer> early;
  for (const auto& [id, c] : by_id_) early.push_back(c);
  for (const auto& c : early)
    if (c->state_ == channel_state::connecting) start(*c);
  for (;;) {
    while (orders_.empty()) co_await work_.wait();
    const auto next = orders_.front();
    orders_.pop_front();
    switch (next.what) {
      case order::kind::open: co_await carry_out_open(next.id); break;
      case order::kind::acknowledge: {
        const auto ack = format(ack_message{});
        (void)co_await association_->send(
            {sctp::stream_id(next.id), sctp::ppid(static_cast<std::uint32_t>(payload::dcep)), ack});
        break;
      }
      case order::kind::reset: {
        const sctp::stream_id stream(next.id);
        association_->reset_streams({&stream, 1});
        break;
      }
    }
  }
}

async::task<> endpoint::carry_out_open(std::uint16_t id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) co_return;
  const auto c = found->second;
  const auto open = format(open_of(c->options_));
  // RFC 8832 §6: reliable and ordered, whatever the channel will be.
  const auto sent =
      co_await association_->send({sctp::stream_id(id), sctp::ppid(static_cast<std::uint32_t>(payload::dcep)), open});
  if (!sent) co_return finish(*c, base::error(errc::closed), "the OPEN could not be sent");
  c->may_send_ = true;
  c->changed_.pulse();
  if (c->state_ == channel_state::closing) ask_reset(*c);  // closed while its OPEN waited for room
}

// A peer that never answers our reset (there are some) must not keep closed() waiting; the id stays taken.
async::task<> endpoint::watch_resets() {
  for (;;) {
    while (late_.empty()) co_await late_changed_.wait();
    const auto [deadline, id] = late_.front();
    co_await async::sleep_until(deadline);
    late_.pop_front();
    auto* c = find(id);
    if (c != nullptr && c->reset_done_ && !c->peer_reset_ && c->state_ == channel_state::closing)
      finish(*c, c->error_, "the peer did not reset its side");
  }
}

void endpoint::close() {
  if (ended_) return;
  ended_ = true;
  orders_.clear();
  const bool broken = association_ != nullptr && association_->error().code;
  const auto why = broken ? base::error(errc::closed, base::error::nowhere, "an association that stands") : base::error();
  for (const auto& [id, c] : by_id_) finish(*c, why, "the association ended");
  for (const auto& c : unnumbered_) finish(*c, why, "the endpoint was closed");
  by_id_.clear();
  unnumbered_.clear();
  accepted_.close();
  end_.set();
}

channel* endpoint::find(std::uint16_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

void endpoint::set_state(channel& c, channel_state next, std::string_view reason) {
  if (c.state_ == next) return;
  if (tracer_.enabled()) {
    const auto subject = "channel " + (c.id_ ? std::to_string(*c.id_) : "without id") + " \"" + c.options_.label + '"';
    tracer_(host_.now(), trace::state_change{trace::layer::datachannel, subject, to_string(c.state_), to_string(next), reason});
  }
  c.set_state(next);
  assert(c.invariant() && invariant());
}

bool endpoint::invariant() const noexcept {
  const bool numbered = std::all_of(by_id_.begin(), by_id_.end(), [](const auto& e) { return e.second->id_ == e.first; });
  return numbered && (unnumbered_.empty() || association_ == nullptr) && (!started_ || association_ != nullptr);
}

}  // namespace strata::datachannel
