// What the store holds of an inbox. Records of the table "inbox", numbers big-endian:
//   "<peer> e"            epoch 64, earlier epochs 64 each
//   "<peer> s <stream>"   epoch 64, remembered from 64, settled 64, marked 64, then the fates: sequence 64, fate 8, length 8,
//   reason
// From settled to marked, messages may have been handed over: of those it is not known when this is read.
#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "mesh/inbox.hpp"
#include "mesh/record_name.hpp"

namespace strata::mesh {
namespace {

constexpr std::string_view why_unknown = "the receiver was killed while it handed the message over";

std::string damaged(const std::string& name) { return "the record '" + name + "' of the messages received is damaged"; }

}  // namespace

std::string inbox::encode_epoch() const {
  base::bytes octets;
  base::byte_writer out(octets);
  out.u64(epoch_.value_or(0));
  for (const auto e : earlier_epochs_) out.u64(e);
  return as_string(octets);
}

bool inbox::decode_epoch(std::string_view value) {
  base::byte_reader in(base::as_bytes(value));
  epoch_ = in.u64();
  if (!epoch_ || in.remaining() % sizeof(std::uint64_t) != 0) return false;
  while (const auto e = in.u64()) earlier_epochs_.push_back(*e);
  return true;
}

std::string inbox::encode_stream(const stream_state& s) const {
  base::bytes octets;
  base::byte_writer out(octets);
  out.u64(epoch_.value_or(0));
  out.u64(std::min(s.from, s.settled));
  out.u64(s.settled);
  out.u64(s.marked);
  for (const auto& [sequence, o] : s.others) {
    out.u64(sequence);
    out.u8(static_cast<std::uint8_t>(o.what));
    out.u8(static_cast<std::uint8_t>(o.why.size()));
    out.write(base::as_bytes(o.why));
  }
  return as_string(octets);
}

bool inbox::decode_stream(std::uint32_t number, std::string_view value) {
  base::byte_reader in(base::as_bytes(value));
  const auto epoch = in.u64(), from = in.u64(), settled = in.u64(), marked = in.u64();
  if (!marked || *from > *settled || *settled > *marked || *marked > sequence_limit || *marked - *settled > longest_walk)
    return false;
  if (epoch != epoch_) {
    forgotten_.push_back(number);
    return true;
  }
  auto& s = streams_[number];
  s.from = *from;
  while (!in.empty()) {
    const auto sequence = in.u64();
    const auto what = in.u8(), size = in.u8();
    const auto why = size ? in.take(*size) : std::nullopt;
    if (!why || *sequence < *from || *sequence >= *settled || *what > static_cast<std::uint8_t>(fate::unknown) ||
        why->size() > longest_reason || !base::is_utf8(*why))
      return false;
    s.others.emplace(*sequence, other_fate{*sequence, static_cast<fate>(*what), std::string(base::as_text(*why))});
  }
  for (auto sequence = *settled; sequence < *marked; ++sequence) {
    s.others.emplace(sequence, other_fate{sequence, fate::unknown, std::string(why_unknown)});
    ++counters_.unknown;
  }
  s.settled = s.marked = s.marked_saved = *marked;
  s.ack_due = true;
  return true;
}

// How far the head of a stream may be taken, for messages that must be marked before. A mark goes back when its program went
// away before it took them.
void inbox::mark(stream_state& s, base::instant now, bool wanted_now) {
  std::size_t whole = 0;
  bool durable = false;
  const auto end = walk(s, now, [&](std::uint64_t sequence, entry& e) {
    if (!wanted_now || whole == limits_.marked) return false;
    ++whole;
    durable = durable || (e.durable && sequence >= s.marked);
    return true;
  });
  settle(s);
  if (!durable && end >= s.marked) return;
  s.marked = end;
  s.marked_saved = std::min(s.marked_saved, end);
  s.dirty = true;
}

store::changes inbox::unsaved(base::instant now, const wanted& may) {
  store::changes keep;
  if (saving_ || !epoch_) return keep;
  pending_save pending{*epoch_, std::exchange(epoch_unsaved_, false), {}};
  const std::string table(inbox_table);
  for (auto& [number, s] : streams_) {
    mark(s, now, !may || may(number));
    if (!std::exchange(s.dirty, false)) continue;
    s.marked = std::max(s.marked, s.settled);
    keep.push_back({table, to_name(peer_, {'s', number}), encode_stream(s)});
    pending.parts.push_back({number, s.settled, s.marked});
    std::erase(forgotten_, number);
  }
  if (pending.named_epoch) keep.push_back({table, to_name(peer_, {'e'}), encode_epoch()});
  // Records of an older epoch count for nothing; they need only go.
  for (const auto number : std::exchange(forgotten_, {})) keep.push_back({table, to_name(peer_, {'s', number}), std::nullopt});
  if (!keep.empty()) saving_ = std::move(pending);
  invariant();
  return keep;
}

void inbox::saved() {
  const auto done = std::exchange(saving_, std::nullopt);
  if (!done || done->epoch != epoch_) return;
  for (const auto& p : done->parts) {
    auto& s = streams_.at(p.stream);
    s.marked_saved = p.marked;
    while (!s.needs_save.empty() && s.needs_save.front() < p.settled) {
      s.needs_save.pop_front();
      due(s);
    }
  }
}

void inbox::not_saved() {
  const auto failed = std::exchange(saving_, std::nullopt);
  if (!failed) return;
  epoch_unsaved_ = epoch_unsaved_ || failed->named_epoch;
  if (failed->epoch != epoch_) return;
  for (const auto& p : failed->parts) streams_.at(p.stream).dirty = true;
}

std::vector<std::string> inbox::peers_in(const std::vector<store::record>& records) { return peers_of(records); }

store::told<void> inbox::load(const std::vector<store::record>& records) {
  // The epoch first: it says which streams count.
  const auto epoch_name = to_name(peer_, {'e'});
  for (const auto& r : records)
    if (r.name == epoch_name && !decode_epoch(r.value)) return tl::unexpected(damaged(r.name));
  for (const auto& r : records) {
    if (!belongs_to(peer_, r.name) || r.name == epoch_name) continue;
    const auto n = from_name(peer_, r.name);
    if (!n || n->kind != 's' || !epoch_ || !decode_stream(n->stream, r.value)) return tl::unexpected(damaged(r.name));
  }
  invariant();
  return {};
}

}  // namespace strata::mesh
