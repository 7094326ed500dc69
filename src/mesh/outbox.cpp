#include "mesh/outbox.hpp"

#include <algorithm>
#include <cassert>

#include "mesh/pieces.hpp"

namespace strata::mesh {
namespace {

constexpr unsigned most_doublings = 5;
constexpr std::size_t incarnations_remembered = 8;

}  // namespace

std::string_view reason(refusal r) noexcept {
  switch (r) {
    case refusal::too_large: return "the message is larger than 16 MiB";
    case refusal::full: return "too much waits for this peer already";
    case refusal::too_many_streams: return "there are too many streams to this peer";
    case refusal::out_of_time: return "the deadline has passed";
    case refusal::id_in_use: return "a message of this id waits already";
  }
  return "refused";
}

outbox::outbox(std::string peer, std::uint64_t epoch, outbox_limits limits)
    : peer_(std::move(peer)), epoch_(epoch), limits_(limits) {}

tl::expected<void, refusal> outbox::accept(submission m, base::instant now, base::wall_time wall) {
  if (m.octets.size() > largest_delivery) return tl::unexpected(refusal::too_large);
  if (m.time_left && *m.time_left <= base::duration::zero()) return tl::unexpected(refusal::out_of_time);
  if (by_id_.contains(m.id)) return tl::unexpected(refusal::id_in_use);
  const auto cost = cost_of(m.octets.size());
  if (cost > limits_.octets - std::min(limits_.octets, octets_)) return tl::unexpected(refusal::full);
  if (!streams_.contains(m.stream) && streams_.size() >= limits_.streams) return tl::unexpected(refusal::too_many_streams);

  auto& s = streams_[m.stream];
  const auto sequence = s.next++;
  if (s.next + limits_.block / 4 > s.reserved) {
    s.reserved = s.next + limits_.block;
    s.dirty = true;
  }
  entry e;
  e.id = m.id;
  e.how = m.how;
  e.durable = m.durable;
  e.binary = m.binary;
  e.ready = !m.durable && sequence < s.reserved_saved;
  e.order = next_order_++;
  e.octets = std::move(m.octets);
  if (m.time_left) {
    // A deadline centuries away is none.
    e.deadline = *m.time_left < base::never - now ? now + *m.time_left : base::never;
    if (e.deadline != base::never) {
      const auto at = std::chrono::ceil<std::chrono::milliseconds>(wall.time_since_epoch()).count() +
                      std::chrono::ceil<std::chrono::milliseconds>(*m.time_left).count();
      e.wall_deadline = static_cast<std::uint64_t>(std::max<std::int64_t>(at, 1));
      deadlines_.emplace(e.deadline, e.id);
    }
  }
  if (e.durable) to_store_.push_back({m.stream, sequence});
  by_id_.emplace(e.id, place{m.stream, sequence});
  octets_ += cost;
  s.live.emplace_hint(s.live.end(), sequence, std::move(e));
  ++counters_.accepted;
  invariant();
  return {};
}

bool outbox::cancel(const message_id& id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return false;
  const auto p = known->second;
  auto& s = streams_.at(p.stream);
  const auto at = s.live.find(p.sequence);
  const bool recorded = at->second.recorded;
  auto o = give_up(p.stream, s, at);
  // Killed before the store knows it, the message would be there again: only then is the promise given.
  if (recorded) cancelled_.push_back(std::move(o));
  else tell(std::move(o));
  return true;
}

bool outbox::receiver_is(std::uint64_t incarnation, std::uint32_t window, base::instant now) {
  if (std::ranges::find(earlier_incarnations_, incarnation) != earlier_incarnations_.end()) return false;
  window_ = window;
  if (incarnation_ == incarnation) return true;
  if (incarnation_) {
    // What it held it holds no more.
    earlier_incarnations_.push_back(*incarnation_);
    if (earlier_incarnations_.size() > incarnations_remembered) earlier_incarnations_.erase(earlier_incarnations_.begin());
    for (auto& [number, s] : streams_) s.held.clear();
    go_again(now);
  }
  incarnation_ = incarnation;
  ack_number_.reset();
  return true;
}

void outbox::on_hello(const hello_frame& h, base::instant now) { receiver_is(h.incarnation, h.window, now); }

void outbox::on_ack(const ack_frame& a, base::instant now) {
  if (a.epoch != epoch_) {
    ++counters_.bad_acks;
    return;
  }
  auto newest = receiver_is(a.incarnation, a.window, now);
  if (newest && ack_number_ && static_cast<std::int32_t>(a.number - *ack_number_) <= 0) newest = false;
  if (newest) ack_number_ = a.number;
  for (const auto& part : a.streams) {
    const auto s = streams_.find(part.stream);
    if (s == streams_.end() || part.settled > s->second.next) {
      ++counters_.bad_acks;
      continue;
    }
    acknowledge(s->first, s->second, part, newest, now);
  }
  // Heard of the peer: from now on only what it did not mention is without an answer.
  const bool missing = std::ranges::any_of(streams_, [](auto& entry) {
    auto& s = entry.second;
    const auto at = first_missing(s, 0);
    return (at != s.live.end() && at->first < s.send_at) || s.send_offset != 0;
  });
  if (!missing) unanswered_.reset();
  else if (unanswered_) unanswered_ = now;
  invariant();
}

void outbox::acknowledge(std::uint32_t stream, stream_state& s, const stream_ack& a, bool newest, base::instant now) {
  auto other = a.others.begin();
  while (!s.live.empty() && s.live.begin()->first < a.settled) {
    const auto at = s.live.begin();
    const auto sequence = at->first;
    outcome o{at->second.id, fate::delivered, {}, false};
    while (other != a.others.end() && other->sequence < sequence) ++other;
    if (sequence < a.from) {
      // It has forgotten what became of it, as a receiver without a store does.
      o.what = fate::unknown;
      o.may_have_arrived = true;
    } else if (other != a.others.end() && other->sequence == sequence) {
      o.what = other->what;
      o.why = other->why;
      o.may_have_arrived = o.what == fate::unknown;
    }
    settle(stream, s, at);
    tell(std::move(o));
  }
  if (!a.others.empty()) s.tell_floor = true;
  const bool progress = a.settled > s.acked;
  s.acked = std::max(s.acked, a.settled);
  if (s.send_at < s.acked) {
    s.send_at = s.acked;
    s.send_offset = 0;
  }
  if (newest) s.held = a.whole;
  if (progress) s.tries = 0;
  if (!outstanding(s)) s.resend_at = base::never;
  else if (progress) start_timer(s, now);
}

void outbox::settle(std::uint32_t stream, stream_state& s, live_messages::iterator at) {
  const auto& [sequence, e] = *at;
  const auto cost = cost_of(e.octets.size());
  if (e.started) (large(e) ? large_in_flight_ : small_in_flight_) -= cost;
  octets_ -= cost;
  if (e.recorded) {
    to_erase_.push_back({stream, sequence});
    s.leaving.insert(sequence);
  }
  if (e.deadline != base::never) deadlines_.erase({e.deadline, e.id});
  if (s.send_at == sequence) s.send_offset = 0;
  by_id_.erase(e.id);
  s.live.erase(at);
}

outcome outbox::give_up(std::uint32_t stream, stream_state& s, live_messages::iterator at) {
  outcome o{at->second.id, fate::expired, {}, at->second.perhaps_sent};
  const auto sequence = at->first;
  settle(stream, s, at);
  make_void(s, sequence);
  invariant();
  return o;
}

void outbox::go_again(base::instant now) {
  for (auto& [number, s] : streams_) {
    s.send_at = s.acked;
    s.send_offset = 0;
    s.tries = 0;
    s.resend_at = base::never;
    if (outstanding(s)) start_timer(s, now);
    if (has_gaps(s)) s.void_at = s.acked;
  }
  small_run_ = 0;
  unanswered_.reset();
}

void outbox::tick(base::instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto p = by_id_.at(deadlines_.begin()->second);
    auto& s = streams_.at(p.stream);
    tell(give_up(p.stream, s, s.live.find(p.sequence)));
  }
  for (auto& [number, s] : streams_) {
    if (s.resend_at > now) continue;
    if (!outstanding(s)) {
      s.resend_at = base::never;
      continue;
    }
    s.tries = std::min(s.tries + 1, most_doublings);
    const auto missing = first_missing(s, s.acked);
    const bool some_missing = missing != s.live.end() && missing->first < s.sent_end;
    // One that is only half sent is not late: its channel may be slow.
    if (some_missing && missing->first < s.send_at) {
      s.send_at = missing->first;
      s.send_offset = 0;
    }
    if (has_gaps(s)) s.void_at = s.acked;
    // All has arrived: it may wait for what it forgot when it was killed.
    if (!some_missing) ask_ = s.tell_floor = true;
    start_timer(s, now);
  }
}

base::instant outbox::next_wakeup() const {
  auto at = deadlines_.empty() ? base::never : deadlines_.begin()->first;
  for (const auto& [number, s] : streams_) at = std::min(at, s.resend_at);
  return at;
}

void outbox::make_void(stream_state& s, std::uint64_t sequence) {
  if (sequence >= s.acked) s.void_at = std::min(s.void_at.value_or(sequence), sequence);
}

void outbox::tell(outcome o) {
  switch (o.what) {
    case fate::delivered: ++counters_.delivered; break;
    case fate::refused: ++counters_.refused; break;
    case fate::expired: ++counters_.expired; break;
    case fate::unknown: ++counters_.unknown; break;
  }
  outcomes_.push_back(std::move(o));
}

void outbox::invariant() const {
  assert(small_in_flight_ + large_in_flight_ <= octets_);
  assert(deadlines_.size() <= by_id_.size());
}

}  // namespace strata::mesh
