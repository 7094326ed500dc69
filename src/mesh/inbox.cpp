#include "mesh/inbox.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace strata::mesh {
namespace {

constexpr std::size_t epochs_remembered = 16;

}  // namespace

std::string_view to_string(taken t) noexcept {
  switch (t) {
    case taken::kept: return "kept";
    case taken::duplicate: return "duplicate";
    case taken::old_epoch: return "of an old epoch";
    case taken::no_room: return "no room";
    case taken::contradiction: return "contradicts what came before";
    case taken::too_many_streams: return "too many streams";
  }
  return "unknown";
}

inbox::inbox(std::string peer, std::uint64_t incarnation, budget& shared, inbox_limits limits)
    : peer_(std::move(peer)), incarnation_(incarnation), shared_(shared), limits_(limits) {}

inbox::~inbox() {
  for (auto& [number, s] : streams_)
    for (auto& [sequence, e] : s.open) release(e);
}

bool inbox::adopt(std::uint64_t epoch) {
  if (epoch_ == epoch) return true;
  if (std::ranges::find(earlier_epochs_, epoch) != earlier_epochs_.end()) return false;
  if (epoch_) {
    earlier_epochs_.push_back(*epoch_);
    if (earlier_epochs_.size() > epochs_remembered) earlier_epochs_.erase(earlier_epochs_.begin());
  }
  for (auto& [number, s] : streams_) {
    forgotten_.push_back(number);
    for (auto& [sequence, e] : s.open) release(e);
  }
  streams_.clear();
  epoch_ = epoch;
  epoch_unsaved_ = true;
  return true;
}

inbox::stream_state* inbox::stream_of(std::uint32_t number, std::uint64_t floor) {
  const auto known = streams_.find(number);
  if (known != streams_.end()) return &known->second;
  if (streams_.size() >= limits_.streams) return nullptr;
  auto& s = streams_[number];
  s.from = s.settled = s.marked = s.marked_saved = floor;
  return &s;
}

bool inbox::charge(entry& e) {
  e.cost = cost_of(e.parts.total());
  const auto bound = std::size_t{limits_.window} + limits_.window / 8;
  e.shared = held_ + e.cost <= bound && shared_.take(e.cost);
  if (!e.shared && held_ + e.cost > limits_.guaranteed) {
    e.cost = 0;
    return false;
  }
  held_ += e.cost;
  return true;
}

// For the head of a stream: what arrived behind a hole, here or in other streams, cannot go on before the hole is filled. It
// comes again.
bool inbox::make_room(stream_state& s, entry& e) {
  const auto push_out = [&](stream_state& from) {
    for (auto at = from.open.end(); at != from.open.begin();) {
      --at;
      if (at->first == from.settled || (at->second.at != stage::partial && at->second.at != stage::whole)) continue;
      release(at->second);
      at = from.open.erase(at);
      ++counters_.pushed_out;
      due(from);
      if (charge(e)) return true;
    }
    return false;
  };
  if (push_out(s)) return true;
  return std::ranges::any_of(streams_, [&](auto& other) { return push_out(other.second); });
}

void inbox::release(entry& e) {
  held_ -= e.cost;
  if (e.shared) shared_.give_back(e.cost);
  e.cost = 0;
  e.shared = false;
  e.parts = assembly(0);
  e.octets = {};
}

void inbox::due(stream_state& s) { s.ack_due = ack_due_ = true; }

taken inbox::on_data(const data_frame& f, base::instant now) {
  if (!adopt(f.epoch)) return taken::old_epoch;
  auto* const s = stream_of(f.stream, f.floor);
  if (s == nullptr) return taken::too_many_streams;
  raise_floor(*s, f.floor);
  due(*s);
  const auto duplicate = [this] {
    ++counters_.duplicates;
    return taken::duplicate;
  };
  if (f.sequence < s->settled || is_void(*s, f.sequence)) return duplicate();
  auto at = s->open.find(f.sequence);
  if (at != s->open.end() && at->second.at != stage::partial) return duplicate();
  if (at == s->open.end()) {
    entry e;
    e.id = f.id;
    e.how = f.how;
    e.durable = f.durable;
    e.binary = f.binary;
    e.progress = now;
    e.parts = assembly(f.total);
    if (!charge(e) && !(f.sequence == s->settled && make_room(*s, e))) {
      ++counters_.no_room;
      return taken::no_room;
    }
    at = s->open.emplace(f.sequence, std::move(e)).first;
  }
  auto& e = at->second;
  if (e.id != f.id || e.parts.total() != f.total || e.durable != f.durable) {
    ++counters_.contradictions;
    return taken::contradiction;
  }
  if (f.milliseconds_left != no_end) e.deadline = std::min(e.deadline, now + std::chrono::milliseconds(f.milliseconds_left));
  if (e.parts.add(f.offset, f.piece) == 0 && f.total != 0) return duplicate();
  e.progress = now;
  if (e.parts.whole()) {
    e.octets = e.parts.take();
    e.at = stage::whole;
    tick_at_ = std::min(tick_at_, e.deadline);
  } else {
    tick_at_ = std::min(tick_at_, now + limits_.idle);
  }
  invariant();
  return taken::kept;
}

taken inbox::on_cancel(const cancel_frame& f) {
  if (!adopt(f.epoch)) return taken::old_epoch;
  auto* const s = stream_of(f.stream, f.floor);
  if (s == nullptr) return taken::too_many_streams;
  raise_floor(*s, f.floor);
  due(*s);
  if (!make_void(*s, f.what)) {
    ++counters_.no_room;
    return taken::no_room;
  }
  invariant();
  return taken::kept;
}

void inbox::on_hello(const hello_frame& f) {
  // A hello may name an epoch that its sender never stored and forgot when it was killed. What carries messages does not.
  if (epoch_ != f.epoch) return;
  for (auto& [number, s] : streams_) s.ack_due = true;
  ack_due_ = true;
}

bool inbox::is_void(const stream_state& s, std::uint64_t sequence) {
  const auto next = s.voids.upper_bound(sequence);
  return next != s.voids.begin() && std::prev(next)->second > sequence;
}

// What the sender has settled for itself need not arrive any more, and what we remember about it has done its duty.
void inbox::raise_floor(stream_state& s, std::uint64_t floor) {
  if (floor > s.from) {
    s.from = floor;
    s.others.erase(s.others.begin(), s.others.lower_bound(floor));
  }
  if (floor > s.settled) make_void(s, {s.settled, floor - s.settled});
}

// What is handed over already stays: its program has it.
bool inbox::make_void(stream_state& s, range r) {
  auto first = std::max(r.first, s.settled);
  auto end = r.end();
  if (first >= end) return true;
  auto at = s.voids.upper_bound(first);
  if (at != s.voids.begin() && std::prev(at)->second >= first) --at;
  const bool alone = at == s.voids.end() || at->first > end;
  if (alone && first != s.settled && s.voids.size() >= limits_.gaps) return false;
  while (at != s.voids.end() && at->first <= end) {
    first = std::min(first, at->first);
    end = std::max(end, at->second);
    at = s.voids.erase(at);
  }
  s.voids.emplace(first, end);
  for (auto e = s.open.lower_bound(first); e != s.open.end() && e->first < end;) {
    const bool stays = e->second.at == stage::handed || e->second.at == stage::done;
    if (!stays) release(e->second);
    e = stays ? std::next(e) : s.open.erase(e);
  }
  settle(s);
  return true;
}

void inbox::settle(stream_state& s) {
  const auto before = s.settled;
  while (true) {
    while (!s.voids.empty() && s.voids.begin()->second <= s.settled) s.voids.erase(s.voids.begin());
    const auto at = s.open.begin();
    if (at != s.open.end() && at->first == s.settled) {
      auto& e = at->second;
      if (e.at != stage::done) break;
      if (e.what != fate::delivered && s.settled >= s.from)
        s.others.emplace(s.settled, other_fate{s.settled, e.what, std::move(e.why)});
      if (e.durable || e.what != fate::delivered) {
        s.needs_save.push_back(s.settled);
        s.dirty = true;
      }
      s.open.erase(at);
      ++s.settled;
      continue;
    }
    const auto v = s.voids.begin();
    if (v == s.voids.end() || v->first > s.settled) break;
    s.settled = at == s.open.end() ? v->second : std::min(v->second, at->first);
  }
  if (s.settled != before) due(s);
}

void inbox::expire(stream_state& s, entry& e) {
  release(e);
  e.at = stage::done;
  e.what = fate::expired;
  ++counters_.expired;
  due(s);
}

void inbox::tick(base::instant now) {
  if (now < tick_at_) return;
  tick_at_ = base::never;
  for (auto& [number, s] : streams_) {
    for (auto at = s.open.begin(); at != s.open.end();) {
      const bool idle = at->second.at == stage::partial && at->second.progress + limits_.idle <= now;
      if (idle) {
        release(at->second);
        ++counters_.idle;
      }
      at = idle ? s.open.erase(at) : std::next(at);
    }
    // Expires what stands at the head, also while no program wants it.
    walk(s, now, [](std::uint64_t, entry&) { return false; });
    settle(s);
    for (const auto& [sequence, e] : s.open) {
      if (e.at == stage::partial) tick_at_ = std::min(tick_at_, e.progress + limits_.idle);
      if (e.at == stage::whole && e.deadline > now) tick_at_ = std::min(tick_at_, e.deadline);
    }
  }
  invariant();
}

void inbox::invariant() const {
#ifndef NDEBUG
  for (const auto& [number, s] : streams_) {
    assert(s.open.empty() || s.open.begin()->first >= s.settled);
    assert(s.voids.empty() || s.voids.begin()->second > s.settled);
    assert(s.needs_save.empty() || s.needs_save.back() < s.settled);
  }
#endif
}

}  // namespace strata::mesh
