// What the store holds of an outbox. Records of the table "outbox", numbers big-endian:
//   "<peer> e"                        epoch 64
//   "<peer> s <stream>"               end of the sequences in use 64, settled at the receiver at least up to 64
//   "<peer> m <stream> <sequence>"    flags 8, urgency 8, zero 16, id 128, deadline 64 (ms since 1970; 0: none), order 64,
//   octets
// A sequence below the end without a record is void.
#include <algorithm>
#include <utility>

#include "mesh/outbox.hpp"
#include "mesh/pieces.hpp"
#include "mesh/record_name.hpp"

namespace strata::mesh {
namespace {

constexpr std::uint8_t binary_flag = 1;

std::string damaged(const std::string& name) { return "the record '" + name + "' of the messages that wait is damaged"; }

}  // namespace

std::string outbox::epoch_name() const { return to_name(peer_, {'e'}); }
std::string outbox::stream_name(std::uint32_t stream) const { return to_name(peer_, {'s', stream}); }
std::string outbox::message_name(place p) const { return to_name(peer_, {'m', p.stream, p.sequence}); }

std::string outbox::encode_epoch(std::uint64_t epoch) {
  base::bytes octets;
  base::byte_writer(octets).u64(epoch);
  return as_string(octets);
}

std::string outbox::encode_stream(std::uint64_t reserved, std::uint64_t acked) {
  base::bytes octets;
  base::byte_writer out(octets);
  out.u64(reserved);
  out.u64(acked);
  return as_string(octets);
}

std::string outbox::encode_message(const entry& e) {
  base::bytes octets;
  base::byte_writer out(octets);
  out.u8(e.binary ? binary_flag : 0);
  out.u8(static_cast<std::uint8_t>(e.how));
  out.u16(0);
  out.write(e.id.octets);
  out.u64(e.wall_deadline);
  out.u64(e.order);
  auto text = as_string(octets);
  return text.append(base::as_text(e.octets));
}

store::changes outbox::unsaved() {
  store::changes keep;
  if (saving_) return keep;
  pending_save pending;
  const std::string table(outbox_table);
  for (auto& [number, s] : streams_) {
    if (!std::exchange(s.dirty, false)) continue;
    keep.push_back({table, stream_name(number), encode_stream(s.reserved, s.acked)});
    pending.reserved.push_back({number, s.reserved});
  }
  for (const auto& p : std::exchange(to_store_, {})) {
    auto& live = streams_.at(p.stream).live;
    const auto at = live.find(p.sequence);
    if (at == live.end()) continue;  // settled before it was stored
    at->second.recorded = true;
    keep.push_back({table, message_name(p), encode_message(at->second)});
    pending.stored.push_back(p);
  }
  for (const auto& p : to_erase_) keep.push_back({table, message_name(p), std::nullopt});
  pending.erased = std::exchange(to_erase_, {});
  pending.cancelled = std::exchange(cancelled_, {});
  if (keep.empty()) return keep;
  pending.epoch = !std::exchange(epoch_named_, true);
  if (pending.epoch) keep.push_back({table, epoch_name(), encode_epoch(epoch_)});
  saving_ = std::move(pending);
  return keep;
}

std::vector<message_id> outbox::saved() {
  std::vector<message_id> safe;
  auto done = std::exchange(saving_, std::nullopt);
  if (!done) return safe;
  for (const auto& p : done->stored) {
    auto& live = streams_.at(p.stream).live;
    const auto at = live.find(p.sequence);
    if (at == live.end()) continue;
    at->second.ready = true;
    safe.push_back(at->second.id);
  }
  for (const auto& p : done->erased) {
    auto& s = streams_.at(p.stream);
    s.leaving.erase(p.sequence);
    make_void(s, p.sequence);
  }
  for (auto& o : done->cancelled) tell(std::move(o));
  for (const auto& [stream, end] : done->reserved) {
    auto& s = streams_.at(stream);
    for (auto at = s.live.lower_bound(s.reserved_saved); at != s.live.end() && at->first < end; ++at)
      if (!at->second.durable) at->second.ready = true;
    s.reserved_saved = std::max(s.reserved_saved, end);
  }
  return safe;
}

void outbox::not_saved() {
  const auto failed = std::exchange(saving_, std::nullopt);
  if (!failed) return;
  to_store_.insert(to_store_.begin(), failed->stored.begin(), failed->stored.end());
  to_erase_.insert(to_erase_.begin(), failed->erased.begin(), failed->erased.end());
  cancelled_.insert(cancelled_.begin(), failed->cancelled.begin(), failed->cancelled.end());
  for (const auto& p : failed->reserved) streams_.at(p.stream).dirty = true;
  if (failed->epoch) epoch_named_ = false;
}

std::vector<std::string> outbox::peers_in(const std::vector<store::record>& records) { return peers_of(records); }

store::told<void> outbox::load(const std::vector<store::record>& records, base::instant now, base::wall_time wall) {
  bool any = false;
  for (const auto& r : records) {
    if (!belongs_to(peer_, r.name)) continue;
    any = true;
    const auto n = from_name(peer_, r.name);
    bool good = n.has_value();
    if (good && n->kind == 'e') {
      base::byte_reader in(base::as_bytes(r.value));
      const auto epoch = in.u64();
      good = epoch && in.empty();
      epoch_ = epoch.value_or(epoch_);
      epoch_named_ = true;
    } else if (good) {
      good = n->kind == 's' ? load_stream(n->stream, r.value) : load_message({n->stream, n->sequence}, r.value, now, wall);
    }
    if (!good) return tl::unexpected(damaged(r.name));
  }
  if (any && !epoch_named_) return tl::unexpected(damaged(epoch_name()));
  if (streams_.size() > limits_.streams) limits_.streams = streams_.size();
  for (auto& [number, s] : streams_) {
    if (!s.live.empty()) s.next = std::max(s.next, s.live.rbegin()->first + 1);
    if (!s.live.empty()) s.acked = std::min(s.acked, s.live.begin()->first);
    s.reserved = s.reserved_saved = s.next;
    s.send_at = s.acked;
    s.sent_end = s.next;
    if (has_gaps(s)) s.void_at = s.acked;
  }
  invariant();
  return {};
}

bool outbox::load_stream(std::uint32_t stream, std::string_view value) {
  base::byte_reader in(base::as_bytes(value));
  const auto reserved = in.u64(), acked = in.u64();
  if (!acked || !in.empty() || *acked > *reserved || *reserved >= sequence_limit) return false;
  auto& s = streams_[stream];
  s.next = *reserved;
  s.acked = *acked;
  return true;
}

bool outbox::load_message(place p, std::string_view value, base::instant now, base::wall_time wall) {
  base::byte_reader in(base::as_bytes(value));
  entry e;
  const auto flags = in.u8(), how = in.u8();
  const auto zero = in.u16();
  const auto id = in.take(e.id.octets.size());
  const auto deadline = in.u64(), order = in.u64();
  if (!order || *flags > binary_flag || *how > static_cast<std::uint8_t>(urgency::high) || *zero != 0) return false;
  if (p.sequence >= sequence_limit || in.remaining() > largest_delivery) return false;
  std::ranges::copy(*id, e.id.octets.begin());
  if (by_id_.contains(e.id)) return false;
  e.how = static_cast<urgency>(*how);
  e.durable = e.ready = e.recorded = e.perhaps_sent = true;
  e.binary = (*flags & binary_flag) != 0;
  e.order = *order;
  e.wall_deadline = *deadline;
  e.octets = base::to_bytes(in.rest());
  if (e.wall_deadline != 0) {
    // The wall clock may have been set in between; no deadline is further away than a century then.
    constexpr std::int64_t century = 3'155'760'000'000;
    const auto wall_now = std::chrono::floor<std::chrono::milliseconds>(wall.time_since_epoch()).count();
    const auto at = static_cast<std::int64_t>(std::min<std::uint64_t>(e.wall_deadline, INT64_MAX / 2));
    e.deadline = now + std::chrono::milliseconds(std::clamp<std::int64_t>(at - wall_now, 0, century));
    deadlines_.emplace(e.deadline, e.id);
  }
  next_order_ = std::max(next_order_, e.order + 1);
  octets_ += cost_of(e.octets.size());
  by_id_.emplace(e.id, p);
  streams_[p.stream].live.emplace(p.sequence, std::move(e));
  return true;
}

}  // namespace strata::mesh
