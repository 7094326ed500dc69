// The sending half of the association: a bounded buffer in front of the engine's own.
#include <algorithm>
#include <set>
#include <utility>

#include "sctp/usrsctp_association.hpp"

namespace strata::sctp {
namespace {

constexpr std::size_t largest_piece = 64u << 10;  // handed over at once

// Together about a minute and a half.
constexpr int most_reset_failures = 100;
constexpr base::duration quiet_patience = std::chrono::seconds(1);
constexpr base::duration reset_pause = std::chrono::milliseconds(50);
constexpr base::duration longest_reset_pause = std::chrono::seconds(1);

// A tiny message costs the engine half a kilobyte, which its octets do not show.
constexpr std::size_t most_messages = 8192;

// A message larger than the buffer starts when half of it is free; the rest of it is then the association's.
bool fits(outstanding::amount held, std::size_t size, std::size_t most_octets, std::size_t most) {
  return held.messages == 0 || (held.octets + std::min(size, most_octets / 2) <= most_octets && held.messages < most);
}

}  // namespace

std::optional<base::error> usrsctp_association::objection(const message_out& m) const {
  if (state_ == state::idle || state_ == state::connecting) return base::error(errc::not_connected);
  if (state_ != state::established) return base::error(state_ == state::closed ? error_ : errc::closed);
  if (m.data.empty()) return base::error(errc::empty_message);
  if (m.stream.value >= statistics_.streams_out) return base::error(errc::no_such_stream);
  return std::nullopt;
}

std::size_t usrsctp_association::buffered_bytes(stream_id s) const {
  return outstanding_.of(s).octets + (tail_ && tail_->message.stream == s ? tail_size() : 0);
}

bool usrsctp_association::has_room(const message_out& m) const {
  // One unfinished message at a time: without interleaving, the engine can send nothing else before its end anyway.
  return !tail_ && fits(outstanding_.total(), m.data.size(), config_.send_buffer, most_messages) && stream_has_room(m);
}

bool usrsctp_association::stream_has_room(const message_out& m) const {
  return fits(outstanding_.of(m.stream), m.data.size(), config_.stream_send_buffer, most_messages / 2);
}

async::task<base::result<void>> usrsctp_association::send(message_out m) { co_return co_await send_await(*this, m); }

base::result<void> usrsctp_association::try_send(message_out m) {
  if (const auto no = objection(m)) return base::fail(*no);
  const bool others_first =
      std::any_of(waiting_.begin(), waiting_.end(), [&m](const send_await* s) { return s->message_.stream == m.stream; });
  if (others_first || !has_room(m)) return base::fail(errc::no_room);
  return write(m).value_or(base::fail(errc::no_room));
}

bool usrsctp_association::send_await::ready() {
  outcome_ = association_.try_send(message_);
  return outcome_ || outcome_.error() != errc::no_room;
}

void usrsctp_association::send_await::request_cancel() noexcept {
  std::erase(association_.waiting_, this);
  cancelled();
}

std::optional<base::result<void>> usrsctp_association::write(const message_out& m) {
  library_.touch();
  std::size_t taken = 0;
  while (taken < m.data.size()) {
    const auto piece = m.data.subspan(taken, std::min(largest_piece, m.data.size() - taken));
    const auto outcome = socket_->send(m, piece, taken + piece.size() == m.data.size());
    if (const auto* n = std::get_if<std::size_t>(&outcome); n != nullptr && *n != 0) {
      taken += *n;
      outstanding_.sent(m.stream, *n);
      continue;
    }
    if (taken == 0) {
      // A full engine makes room again; a broken one says so with an event, which the turn reads.
      if (std::get_if<usrsctp_socket::refusal>(&outcome) != nullptr &&
          std::get<usrsctp_socket::refusal>(outcome) == usrsctp_socket::refusal::broken)
        return base::result<void>(base::fail(errc::closed));
      return std::nullopt;
    }
    tail_.emplace(tail{m, base::to_bytes(m.data.subspan(taken)), 0});
    break;
  }
  ++statistics_.messages_sent;
  library_.want_turn(id_);
  return base::result<void>();
}

// True: nothing is left of it.
bool usrsctp_association::write_tail() {
  while (tail_) {
    const auto rest = base::byte_view(tail_->data).subspan(tail_->taken);
    const auto piece = rest.first(std::min(largest_piece, rest.size()));
    const auto outcome = socket_->send(tail_->message, piece, piece.size() == rest.size());
    const auto* n = std::get_if<std::size_t>(&outcome);
    if (n == nullptr && std::get<usrsctp_socket::refusal>(outcome) == usrsctp_socket::refusal::broken) {
      tail_.reset();  // the association is going down
      return true;
    }
    if (n == nullptr || *n == 0) return false;
    outstanding_.sent(tail_->message.stream, *n);
    if ((tail_->taken += *n) == tail_->data.size()) tail_.reset();
  }
  return true;
}

void usrsctp_association::write_waiting() {
  // In order, except that a stream whose own share is used up does not hold up the others.
  std::set<stream_id> passed;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    auto* s = *it;
    const auto stream = s->message_.stream;
    std::optional<base::result<void>> outcome;
    if (!passed.contains(stream) && has_room(s->message_)) outcome = write(s->message_);
    if (outcome) {
      it = waiting_.erase(it);
      s->done(std::move(*outcome));
      continue;
    }
    // Behind somebody who waits for the common buffer nobody goes first, or large messages would starve.
    if (!passed.contains(stream) && stream_has_room(s->message_)) return;
    passed.insert(stream);
    ++it;
  }
}

async::task<> usrsctp_association::drained(stream_id s) {
  while (state_ != state::closed && buffered_bytes(s) != 0) co_await acknowledged_.wait();
}

void usrsctp_association::reset_streams(std::span<const stream_id> streams) {
  if (state_ != state::established) return;
  for (const auto s : streams)
    if (!resetting_.contains(s)) to_reset_.try_emplace(s, reset_plan{host_.now(), host_.now()});
  library_.touch();
  library_.want_turn(id_);
}

void usrsctp_association::write_resets() {
  // A request names the last TSN of the whole association. Peers answer "in progress" while they miss data before it, and
  // do not always come back to it; so everything should be acknowledged first, which costs a round trip. On a busy
  // association that moment may never come, but there more data follows and takes the request along.
  const auto time = host_.now();
  const bool quiet = outstanding_.total().octets == 0;
  std::vector<stream_id> now;
  for (const auto& [s, plan] : to_reset_)
    if (buffered_bytes(s) == 0 && s.value < statistics_.streams_out && plan.not_before <= time &&
        (quiet || time - plan.asked >= quiet_patience))
      now.push_back(s);
  // RFC 6525 §5.1.1: one request at a time; the others wait for a later turn.
  if (now.empty() || !socket_->reset(now)) return;
  for (const auto s : now) resetting_.insert(to_reset_.extract(s));
}

void usrsctp_association::on_reset(stream_reset_done done) {
  if (done.what == reset::incoming)
    for (const auto s : done.streams) reassembly_.abandon(s);
  std::vector<stream_id> tell;
  for (const auto s : done.streams) {
    auto plan = resetting_.extract(s);
    // RFC 6525 §4.4: "in progress" means that the peer misses data from before the reset. usrsctp takes that for an end;
    // the request has to be made anew. RFC 6525 §5.2.7: but a denial is final.
    if (done.what == reset::outgoing_failed && !done.denied && plan && ++plan.mapped().failures < most_reset_failures) {
      plan.mapped().not_before = host_.now() + std::min(plan.mapped().failures * reset_pause, longest_reset_pause);
      to_reset_.insert(std::move(plan));
    } else {
      tell.push_back(s);
      if (done.what == reset::incoming && plan) resetting_.insert(std::move(plan));
    }
  }
  if (!tell.empty() && on_stream_reset) on_stream_reset(done.what, tell);
}

}  // namespace strata::sctp
