// What an outbox sends next: cancels, then what the receiver may forget, then small messages before pieces of large ones.
#include <algorithm>

#include "mesh/outbox.hpp"
#include "mesh/pieces.hpp"

namespace strata::mesh {
namespace {

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
    if (at == s.live.end() || !at->second.ready || at->second.deadline <= now) continue;
    // What the receiver holds behind a hole, from before one of us was killed, must not keep the hole from being filled.
    const bool hole = at == s.live.begin() && !s.held.empty();
    if (!hole && !fits(at->second)) continue;
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

}  // namespace strata::mesh
