// What arrives on a socket, and whose it is (RFC 8445 §12.2, RFC 7983).
#include <algorithm>

#include "ice/session.hpp"
#include "stun/fingerprint.hpp"

namespace strata::ice {
namespace {

// A peer's first data may overtake the answer that makes its pair valid by some milliseconds: a DTLS hello that would be
// missed is repeated a second later. It waits here, and is given up when the pair does not become valid.
constexpr std::size_t most_parked_bytes = 32 << 10;

std::size_t weight(base::byte_view payload) { return payload.size() + sizeof(parked_datagram); }

void deliver(session& s, base::byte_view payload) {
  if (s.state == agent_state::closed) return;  // by the callback, one datagram ago
  ++s.counts.datagrams_received;
  s.counts.bytes_received += payload.size();
  if (s.on_datagram) s.on_datagram(payload);
}

void on_stun(session& s, local_base& b, const net::datagram& d) {
  const auto message = stun::message_view::parse(d.payload);
  if (!message || stun::check_fingerprint(*message) == stun::fingerprint_check::invalid) {
    s.drop(s.counts.dropped_malformed, "not STUN", d.peer, d.payload.size());
    return;
  }
  if (message->is_response()) {
    const auto disbelieved = b.transactions.counted().refused_by_judge;
    if (b.transactions.on_response(*message, d.peer)) return;
    if (b.transactions.counted().refused_by_judge != disbelieved)
      s.drop(s.counts.dropped_unauthenticated, "a response that is not authentic", d.peer, d.payload.size());
    else s.drop(s.counts.dropped_unexpected, "a response that nobody waits for", d.peer, d.payload.size());
  } else if (message->is(stun::message_class::request, stun::method::binding)) {
    answer_check(s, b, *message, d.peer);
  } else if (!message->is(stun::message_class::indication, stun::method::binding)) {  // RFC 8445 §11: somebody's keepalive
    s.drop(s.counts.dropped_unexpected, "a STUN method not used here", d.peer, d.payload.size());
  }
}

void on_data(session& s, local_base& b, const net::datagram& d) {
  const bool from_selected = s.outlet.base == &b && s.outlet.remote == d.peer;
  if (from_selected || s.valid.find(b.own.address, d.peer) != nullptr) {
    deliver(s, d.payload);
    return;
  }
  // The peer may have validated its side of a path already: its first data can overtake its answer, or our own check.
  // It waits until a check of ours has shown the address to be the peer's.
  const auto* pair = s.checks.find(b.own.address, d.peer);
  const bool checked_early = std::ranges::any_of(
      s.early_checks, [&](const early_check& e) { return e.base_address == b.own.address && e.from == d.peer; });
  const bool promising = !s.ended() && (pair != nullptr ? pair->state != pair_state::failed : checked_early);
  if (promising && s.parked_bytes + weight(d.payload) <= most_parked_bytes) {
    s.parked_bytes += weight(d.payload);
    s.parked.push_back({b.own.address, d.peer, base::to_bytes(d.payload)});
    return;
  }
  s.drop(s.counts.dropped_unknown_source, "data from an address that no check has shown to be the peer's", d.peer,
         d.payload.size());
}

}  // namespace

async::task<> receive(session& s, std::shared_ptr<local_base> from) {
  auto& b = *from;
  // RFC 8489 §6.2.1: a server that nobody serves costs no time. Checks go on: anybody on the way can say such things, and a
  // peer's socket may open a moment later.
  // exception: 8445-7.2.5.2.2-a a hard ICMP error fails no pair; RFC 8863's patience decides
  b.socket.on_unreachable = [&s, &b](const base::endpoint& peer, base::errc why) {
    const auto& servers = s.config.stun_servers;
    // RFC 6544 §7.1: a connection that cannot be made, or has ended, fails what was asked on it.
    if (b.own.protocol == transport::tcp) return b.transactions.fail(peer, why);
    if (why == base::errc::refused && std::ranges::find(servers, peer) != servers.end()) b.transactions.fail(peer, why);
  };
  for (;;) {
    const auto batch = co_await b.socket.receive();
    if (!batch) {
      lose_base(s, b, batch.error().message());
      co_return;
    }
    // Its address may be back: who asks must not hear that all is well where nothing is taken any more.
    if (b.lost) co_return;
    for (const auto& d : *batch) {
      if (s.state == agent_state::closed) co_return;
      if (s.tracer.enabled()) s.tracer(s.now(), trace::packet{trace::direction::received, b.own.address, d.peer, d.payload});
      // RFC 7983 §7: 0 to 3 is STUN. An empty datagram is nothing at all.
      if (d.payload.empty()) continue;
      if (d.payload[0] <= 3) on_stun(s, b, d);
      else on_data(s, b, d);
    }
  }
}

void deliver_parked(session& s, const base::endpoint& base_address, const base::endpoint& remote) {
  for (auto& p : std::exchange(s.parked, {})) {
    if (p.base_address == base_address && p.from == remote) {
      s.parked_bytes -= weight(p.payload);
      deliver(s, p.payload);
    } else {
      s.parked.push_back(std::move(p));
    }
  }
}

}  // namespace strata::ice
