// How messages leave an inbox: to their programs, in order, and as acks to their sender.
#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "mesh/inbox.hpp"

namespace strata::mesh {
namespace {

constexpr std::size_t most_ranges = 64;  // of a stream in one ack

// At most longest_reason octets, cut between characters.
std::string as_reason(std::string_view why) {
  if (!base::is_utf8(base::as_bytes(why))) return "no readable reason";
  auto size = std::min(why.size(), longest_reason);
  while (size > 0 && size < why.size() && (static_cast<unsigned char>(why[size]) & 0xc0) == 0x80) --size;
  return std::string(why.substr(0, size));
}

}  // namespace

// Everything that stands at the head of a stream, one after the other: `each` says whether to go on behind a whole message.
// Gives the sequence at which it ended.
std::uint64_t inbox::walk(stream_state& s, base::instant now, const step& each) {
  auto at = s.open.begin();
  auto sequence = s.settled;
  std::size_t seen = 0;
  while (at != s.open.end() && sequence - s.settled < longest_walk) {
    if (at->first != sequence) {
      // Only what is void may lie between.
      const auto v = s.voids.upper_bound(sequence);
      if (v == s.voids.begin() || std::prev(v)->second <= sequence) break;
      sequence = std::min(at->first, std::prev(v)->second);
      continue;
    }
    auto& e = at->second;
    if (e.at == stage::partial) break;
    if (e.at == stage::whole) {
      if (e.deadline <= now) expire(s, e);
      else if (s.others.size() + seen >= limits_.fates || !each(sequence, e)) break;
    }
    ++seen;
    ++sequence;
    ++at;
  }
  return sequence;
}

std::vector<delivery> inbox::take(base::instant now, const wanted& may) {
  std::vector<delivery> out;
  for (auto& [number, s] : streams_) {
    if (may && !may(number)) continue;
    walk(s, now, [&](std::uint64_t sequence, entry& e) {
      if (e.durable && sequence >= s.marked_saved) return false;
      out.push_back({*epoch_, number, sequence, e.id, e.how, e.durable, e.binary, std::move(e.octets)});
      e.at = stage::handed;  // and counts until it is finished: a program may be slow
      return true;
    });
    settle(s);
  }
  invariant();
  return out;
}

bool inbox::finish(const delivery& d, fate what, std::string_view why) {
  if (d.epoch != epoch_) return false;
  const auto s = streams_.find(d.stream);
  if (s == streams_.end()) return false;
  const auto at = s->second.open.find(d.sequence);
  if (at == s->second.open.end() || at->second.at != stage::handed) return false;
  release(at->second);
  at->second.at = stage::done;
  at->second.what = what;
  at->second.why = as_reason(why);
  if (what == fate::delivered) ++counters_.delivered;
  settle(s->second);
  invariant();
  return true;
}

bool inbox::put_back(delivery d) {
  if (d.epoch != epoch_) return false;
  const auto s = streams_.find(d.stream);
  if (s == streams_.end()) return false;
  const auto at = s->second.open.find(d.sequence);
  if (at == s->second.open.end() || at->second.at != stage::handed) return false;
  if (is_void(s->second, d.sequence)) {
    release(at->second);
    s->second.open.erase(at);
    settle(s->second);
    return true;
  }
  auto& e = at->second;
  e.octets = std::move(d.octets);
  e.at = stage::whole;
  return true;
}

std::uint64_t inbox::announced(const stream_state& s) { return s.needs_save.empty() ? s.settled : s.needs_save.front(); }

stream_ack inbox::ack_of(std::uint32_t number, const stream_state& s) const {
  stream_ack a;
  a.stream = number;
  a.settled = announced(s);
  a.from = std::max(std::min(s.from, a.settled), a.settled - std::min<std::uint64_t>(a.settled, 0xffffffff));
  if (a.settled < s.settled) a.whole.push_back({a.settled, s.settled - a.settled});
  for (const auto& [sequence, e] : s.open) {
    if (e.at == stage::partial) continue;
    const auto end = a.whole.empty() ? a.settled : a.whole.back().end();
    if (!a.whole.empty() && end == sequence) {
      ++a.whole.back().count;
      continue;
    }
    if (a.whole.size() == most_ranges || sequence - end > 0xffffffff) break;
    a.whole.push_back({sequence, 1});
  }
  for (auto at = s.others.lower_bound(a.from); at != s.others.end() && at->first < a.settled; ++at)
    a.others.push_back(at->second);
  return a;
}

std::vector<base::bytes> inbox::acks(std::size_t most_octets) {
  std::vector<base::bytes> out;
  if (!std::exchange(ack_due_, false) || !epoch_) return out;
  ack_frame f{*epoch_, incarnation_, 0, limits_.window, {}};
  auto size = ack_header;
  const auto flush = [&] {
    f.number = ++ack_number_;
    out.push_back(encode(f));
    f.streams.clear();
    size = ack_header;
  };
  for (auto& [number, s] : streams_) {
    if (!std::exchange(s.ack_due, false)) continue;
    auto a = ack_of(number, s);
    const auto more = encoded_size(a);
    if (!f.streams.empty() && size + more > most_octets) flush();
    size += more;
    f.streams.push_back(std::move(a));
  }
  if (!f.streams.empty() || out.empty()) flush();
  return out;
}

}  // namespace strata::mesh
