// Packets through an allocation (RFC 8656 §11, §12), and what its user sees of it.
#include <algorithm>

#include "stun/attributes.hpp"
#include "stun/channel_data.hpp"
#include "stun/message_writer.hpp"
#include "turn/allocation_state.hpp"

namespace strata::turn {
namespace {

constexpr std::size_t most_held_bytes = 64u << 10;
constexpr std::size_t largest_batch = 64;

void deliver(allocation::state& s, const base::endpoint& peer, base::byte_view payload) {
  if (s.inbox_bytes + payload.size() > s.config.inbox_bytes) {
    ++s.counts.dropped_inbox_full;
    return;
  }
  ++s.counts.received;
  ++s.socket_counts.received;
  s.socket_counts.received_bytes += payload.size();
  s.inbox_bytes += payload.size();
  s.inbox.push_back({peer, base::to_bytes(payload)});
  s.arrived.pulse();
}

void drop(allocation::state& s, std::string_view why, std::size_t size) {
  ++s.counts.dropped_malformed;
  s.tracer(s.now(), trace::drop{trace::layer::turn, why, s.way->server(), size});
}

// RFC 792; RFC 4443 §3.1, §3.2.
base::errc meaning(const stun::icmp& i, base::ip_family f) {
  const bool v4 = f == base::ip_family::v4;
  if (v4 ? i.icmp_type == 3 && i.code == 4 : i.icmp_type == 2) return base::errc::too_large;
  if (v4 ? i.icmp_type == 3 && i.code == 3 : i.icmp_type == 1 && i.code == 4) return base::errc::refused;
  return base::errc::unreachable;
}

void take_indication(allocation::state& s, const stun::message_view& m) {
  const auto peer = m.get<stun::xor_peer_address>();
  const auto data = m.get<stun::data>();
  const auto icmp = m.get<stun::icmp>();
  if (!m.is(stun::message_class::indication, stun::method::data) || !peer || (!data && !icmp))
    return drop(s, "not a Data indication with data", m.bytes().size());
  if (!s.peers.permitted(peer->endpoint.address, s.now())) {  // §11.4: a server that relays more than it was asked to
    ++s.counts.dropped_unpermitted;
    return;
  }
  if (icmp) {  // §11.6
    if (s.report_peer) s.report_peer(peer->endpoint, meaning(*icmp, peer->endpoint.address.family()));
  } else {
    deliver(s, peer->endpoint, data->bytes);
  }
}

bool send_indication(allocation::state& s, const base::endpoint& to, base::byte_view payload) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::indication, stun::method::send}, [&s] {
    stun::transaction_id id;
    s.host.random(id);
    return id;
  }());
  w.add(stun::xor_peer_address{to});
  if (s.config.dont_fragment) w.add(stun::dont_fragment{});
  w.add(stun::data{payload});
  if (!w.status()) return true;  // larger than any datagram: the network would drop it as well
  ++s.counts.sent_in_indications;
  return s.send(out, false);
}

bool send_in_channel(allocation::state& s, std::uint16_t channel, base::byte_view payload) {
  base::bytes out;
  out.reserve(payload.size() + stun::channel_header_size);
  if (!stun::write_channel_data(out, channel, payload)) return true;
  ++s.counts.sent_in_channels;
  return s.send(out, true);
}

void take_frame(allocation::state& s, base::byte_view frame) {
  if (stun::is_channel_data(frame)) {
    const auto c = stun::channel_data::parse(frame);
    const auto* peer = c ? s.peers.peer_of(c->channel, s.now()) : nullptr;
    if (peer == nullptr) return drop(s, "ChannelData of no channel of ours", frame.size());
    if (!s.peers.permitted(peer->address, s.now())) {  // §12.6
      ++s.counts.dropped_unpermitted;
      return;
    }
    return deliver(s, *peer, c->data);
  }
  const auto m = stun::message_view::parse(frame);
  if (!m) return drop(s, "neither STUN nor ChannelData", frame.size());
  if (m->is_response()) s.client.on_response(*m, s.way->server());
  else take_indication(s, *m);
}

}  // namespace

async::task<base::error> listen(allocation::state& s) {
  return s.way->receive([&s](base::byte_view frame) { take_frame(s, frame); });
}

bool relay_packet(allocation::state& s, const base::endpoint& to, base::byte_view payload) {
  const auto channel = s.peers.route(to, s.now());
  const bool sent = channel ? send_in_channel(s, *channel, payload) : send_indication(s, to, payload);
  if (s.peers.next_due(s.now()) <= s.now()) s.work_for_peers.set();
  if (sent) {
    ++s.socket_counts.sent;
    s.socket_counts.sent_bytes += payload.size();
  } else {
    ++s.counts.dropped_outbox_full;
    ++s.socket_counts.dropped_outbox_full;
  }
  return sent;
}

void release_held(allocation::state& s) {
  for (auto& p : std::exchange(s.held, {})) {
    if (!s.peers.permitted(p.peer.address, s.now()) && !s.peers.refused(p.peer.address, s.now())) {
      s.held.push_back(std::move(p));
      continue;
    }
    s.held_bytes -= p.payload.size();
    if (s.peers.permitted(p.peer.address, s.now())) (void)relay_packet(s, p.peer, p.payload);
    else ++s.counts.dropped_unpermitted;
  }
}

bool allocation::send(const base::endpoint& to, base::byte_view payload) {
  auto& s = *state_;
  if (s.ended || to.port == 0 || !s.has_family(to.address.family())) {
    ++s.socket_counts.dropped_by_kernel;
    return true;
  }
  const bool room = s.peers.want(to.address, s.now());
  if (s.peers.permitted(to.address, s.now())) return relay_packet(s, to, payload);
  if (!room || s.peers.refused(to.address, s.now())) {
    ++s.counts.dropped_unpermitted;
    return true;
  }
  // §9: the server drops what it has no permission for, so the packet waits for it.
  s.work_for_peers.set();
  if (s.held_bytes + payload.size() > most_held_bytes) {
    ++s.counts.dropped_outbox_full;
    return false;
  }
  ++s.counts.held;
  s.held_bytes += payload.size();
  s.held.push_back({to, base::to_bytes(payload)});
  return true;
}

async::task<net::result<std::span<const net::datagram>>> allocation::receive() {
  auto& s = *state_;
  while (s.inbox.empty()) {
    if (s.ended) co_return base::fail(*s.ended);
    co_await s.arrived.wait();
  }
  s.lent.clear();
  s.batch.clear();
  while (!s.inbox.empty() && s.lent.size() < largest_batch) {
    s.inbox_bytes -= s.inbox.front().payload.size();
    s.lent.push_back(std::move(s.inbox.front()));
    s.inbox.pop_front();
  }
  for (const auto& p : s.lent) s.batch.push_back({p.peer, p.payload});
  co_return std::span<const net::datagram>(s.batch);
}

namespace {
async::task<> keep(allocation::state& s) {
  const auto until_over = [](async::event& e) -> async::task<> { co_await e.wait(); };
  auto [lost, refreshed, peers, path, over] =
      co_await async::first_of(listen(s), keep_allocation(s), keep_peers(s), keep_path(s), until_over(s.over));
  if (!lost) co_return;
  s.told = true;  // §3.1: an allocation dies with its connection
  s.end(errc::connection_lost);
}
}  // namespace

async::task<base::error> allocation::run() {
  auto& s = *state_;
  co_await async::finally(keep(s), [&s] {
    s.end(errc::released);
    return give_back(s);
  });
  co_return *s.ended;
}

void allocation::release() { state_->end(errc::released); }
void allocation::permit(const base::ip_address& peer) {
  if (!state_->has_family(peer.family()) || !state_->peers.want(peer, state_->now())) return;
  if (!state_->peers.permitted(peer, state_->now())) state_->work_for_peers.set();
}

base::endpoint allocation::mapped() const noexcept { return state_->mapped; }
base::endpoint allocation::server_endpoint() const noexcept { return state_->way->server(); }
std::optional<base::endpoint> allocation::relayed(base::ip_family f) const noexcept {
  const auto at = std::ranges::find(state_->relayed, f, [](const base::endpoint& e) { return e.address.family(); });
  return at == state_->relayed.end() ? std::nullopt : std::optional(*at);
}
std::optional<int> allocation::partial_refusal() const noexcept { return state_->partial_refusal; }
base::duration allocation::lifetime() const noexcept { return state_->lifetime; }
const allocation_counters& allocation::counts() const noexcept { return state_->counts; }
base::endpoint allocation::local_endpoint() const { return state_->relayed.front(); }
std::size_t allocation::queued_bytes() const { return state_->held_bytes + state_->way->queued_bytes(); }
const net::udp_counters& allocation::counters() const { return state_->socket_counts; }

}  // namespace strata::turn
