#include "mesh/outbox.hpp"

#include <algorithm>
#include <cassert>

#include "mesh/pieces.hpp"

namespace strata::mesh {
namespace {

// Sequences are reserved in blocks, so that a message that is not durable costs no commit. After a restart the rest of a block
// is void: what was used of it is not known.
constexpr std::uint64_t reserved_block = 1024, reserve_ahead = 256;
constexpr unsigned most_doublings = 5;
constexpr std::size_t incarnations_remembered = 8;

// A large message of high urgency gets four pieces while one of low urgency gets one.
constexpr std::uint64_t stride(urgency how) noexcept {
  switch (how) {
    case urgency::low: return 4;
    case urgency::normal: return 2;
    case urgency::high: return 1;
  }
  return 2;
}

std::uint32_t milliseconds_until(base::instant deadline, base::instant now) noexcept {
  if (deadline == base::never) return no_end;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, no_end - 1));
}

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
  if (s.next + reserve_ahead > s.reserved) {
    s.reserved = s.next + reserved_block;
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

// Where the receiver may stop to wait and to remember. It must not go back after a restart, so what the store still holds
// counts, and what it does not know to be in use.
std::uint64_t outbox::floor_of(const stream_state& s) {
  auto floor = s.live.empty() ? s.next : s.live.begin()->first;
  if (!s.leaving.empty()) floor = std::min(floor, *s.leaving.begin());
  return std::min(floor, s.reserved_saved);
}

// The first live message at or after `from` that is not known to be at the receiver.
outbox::live_messages::iterator outbox::first_missing(stream_state& s, std::uint64_t from) {
  auto at = s.live.lower_bound(from);
  while (at != s.live.end()) {
    const auto r = std::ranges::upper_bound(s.held, at->first, {}, &range::first);
    if (r == s.held.begin() || std::prev(r)->end() <= at->first) break;
    at = s.live.lower_bound(std::prev(r)->end());
  }
  return at;
}

bool outbox::has_gaps(const stream_state& s) { return s.live.size() < s.next - s.acked; }

bool outbox::outstanding(const stream_state& s) {
  return has_gaps(s) || (!s.live.empty() && s.live.begin()->first < s.sent_end);
}

// Half of the window is for large messages, so that neither kind keeps the other out; one of a kind always fits.
bool outbox::fits(const entry& e) const noexcept {
  if (e.started) return true;
  const auto in_flight = large(e) ? large_in_flight_ : small_in_flight_;
  return in_flight == 0 || in_flight + cost_of(e.octets.size()) <= window_ / 2;
}

void outbox::start_timer(stream_state& s, base::instant now) const { s.resend_at = now + resend_after_ * (1 << s.tries); }

std::optional<sending> outbox::next(base::instant now, const path_terms& p) {
  resend_after_ = p.resend_after;
  if (auto f = next_cancel(now)) return f;
  if (auto f = next_floor()) return f;

  // Only the first of a stream that is not sent yet comes into question: what is in flight is then always a beginning of its
  // stream, which the receiver can hand over, and a full window opens again.
  struct choice {
    std::uint32_t number = 0;
    stream_state* stream = nullptr;
    live_messages::iterator at;
  };
  std::optional<choice> small, big;
  std::uint64_t big_pass = 0;
  for (auto& [number, s] : streams_) {
    const auto at = first_missing(s, s.send_at);
    if (at == s.live.end() || !at->second.ready || at->second.deadline <= now || !fits(at->second)) continue;
    const auto& e = at->second;
    if (!large(e)) {
      const auto* other = small ? &small->at->second : nullptr;
      if (other == nullptr || std::pair(other->how, e.order) < std::pair(e.how, other->order)) small = {number, &s, at};
    } else if (p.large) {
      const auto pass = std::max(s.pass, turn_);
      if (!big || pass < big_pass || (pass == big_pass && e.order < big->at->second.order)) {
        big = {number, &s, at};
        big_pass = pass;
      }
    }
  }
  if (small && (!big || small_run_ < limits_.small_in_a_row)) {
    small_run_ = big ? small_run_ + 1 : 0;
    return send_piece(small->number, *small->stream, small->at, now, p);
  }
  if (!big) return std::nullopt;
  small_run_ = 0;
  turn_ = big_pass;
  auto sent = send_piece(big->number, *big->stream, big->at, now, p);
  big->stream->pass = big_pass + (sent.octets.size() - data_header) * stride(big->at->second.how);
  // A large message takes its time: its stream's timer runs from the latest piece.
  start_timer(*big->stream, now);
  return sent;
}

sending outbox::send_piece(std::uint32_t stream, stream_state& s, live_messages::iterator at, base::instant now,
                           const path_terms& p) {
  auto& [sequence, e] = *at;
  if (s.send_at != sequence) {
    s.send_at = sequence;
    s.send_offset = 0;
  }
  if (!e.started) (large(e) ? large_in_flight_ : small_in_flight_) += cost_of(e.octets.size());
  if (s.send_offset == 0 && sequence < s.sent_end) ++counters_.sent_again;
  e.started = e.perhaps_sent = true;
  const auto total = static_cast<std::uint32_t>(e.octets.size());
  const auto piece = next_piece(total, s.send_offset, p.piece_octets);
  data_frame f;
  f.durable = e.durable;
  f.binary = e.binary;
  f.how = e.how;
  f.id = e.id;
  f.epoch = epoch_;
  f.stream = stream;
  f.sequence = sequence;
  f.floor = floor_of(s);
  f.milliseconds_left = milliseconds_until(e.deadline, now);
  f.total = total;
  f.offset = piece.offset;
  f.piece = base::byte_view(e.octets).subspan(piece.offset, piece.size);
  sending out{encode(f), large(e)};

  s.send_offset = piece.offset + piece.size;
  s.sent_end = std::max(s.sent_end, sequence + 1);
  if (s.send_offset == total) {
    s.send_at = sequence + 1;
    s.send_offset = 0;
  }
  if (s.resend_at == base::never) start_timer(s, now);
  if (!unanswered_) unanswered_ = now;
  ++counters_.frames;
  invariant();
  return out;
}

std::optional<sending> outbox::next_cancel(base::instant now) {
  for (auto& [number, s] : streams_) {
    if (!s.void_at) continue;
    // What the store still holds, or does not know to be in use, could be sent after a restart: nothing is said of it.
    auto at = std::max(*s.void_at, s.acked);
    while (s.live.contains(at) || s.leaving.contains(at)) ++at;
    s.void_at = at;
    auto end = std::min(s.next, s.reserved_saved);
    if (const auto live = s.live.lower_bound(at); live != s.live.end()) end = std::min(end, live->first);
    if (const auto leaving = s.leaving.lower_bound(at); leaving != s.leaving.end()) end = std::min(end, *leaving);
    if (at >= end) {
      if (s.next <= s.reserved_saved) s.void_at.reset();
      continue;
    }
    const range gap{at, std::min<std::uint64_t>(end - at, 0xffffffff)};
    s.void_at = gap.end();
    s.sent_end = std::max(s.sent_end, gap.end());
    if (s.resend_at == base::never) start_timer(s, now);
    if (!unanswered_) unanswered_ = now;
    ++counters_.frames;
    return sending{encode(cancel_frame{epoch_, number, floor_of(s), gap}), false};
  }
  return std::nullopt;
}

// The receiver keeps the fates that it has told until the floor is above them. A cancel of what is settled says no more than
// that.
std::optional<sending> outbox::next_floor() {
  for (auto& [number, s] : streams_) {
    if (!s.tell_floor || !s.leaving.empty()) continue;
    s.tell_floor = false;
    const auto floor = floor_of(s);
    if (floor == 0) continue;
    ++counters_.frames;
    return sending{encode(cancel_frame{epoch_, number, floor, {floor - 1, 1}}), false};
  }
  return std::nullopt;
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
