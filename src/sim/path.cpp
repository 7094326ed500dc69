// The way of a packet: route says which hosts it reaches, through which routers, and what it looks like then; impair says when
// and how often it gets there, and arrive hands it over.
#include <algorithm>

#include "sim/flight.hpp"
#include "sim/network.hpp"

namespace strata::sim {

namespace {

constexpr base::duration inside_a_host = std::chrono::microseconds(10);
constexpr std::string_view no_route = "no route";
constexpr base::duration tcp_gives_up = std::chrono::minutes(1);

// A TCP that hears nothing tries again, ever slower, for about a quarter of an hour (Linux: tcp_retries2 = 15).
constexpr int most_attempts = 15;
base::duration retransmission_after(int attempt) {
  return std::min<base::duration>(std::chrono::milliseconds(200) * (1 << std::min(attempt, 10)), std::chrono::minutes(2));
}

std::string_view why_blocked(const host& to) {
  if (to.down()) return "receiver is down";
  return to.asleep() ? "receiver is asleep" : "partition";
}

}  // namespace

void network::observe(packet_event::moment what, const packet& p, std::string_view reason) {
  if (p.unreachable) return;  // taps see what programs say, not what the network says about it
  hash_.add(static_cast<std::uint64_t>(what));
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(p.source);
  hash_.add(p.destination);
  hash_.add(static_cast<std::uint64_t>(p.protocol));
  if (p.protocol == protocol::tcp) hash_.add(static_cast<std::uint64_t>(p.segment.kind));
  hash_.add(p.payload);
  for (const auto& t : taps_) t({what, now(), p, reason});
}

void network::transmit(host& from, packet p) {
  observe(packet_event::moment::sent, p);
  if (from.down()) return observe(packet_event::moment::dropped, p, "sender is down");
  if (from.asleep()) {
    // A TCP that cannot send keeps its segments; it neither retransmits nor gives up while it does not run.
    if (p.protocol == protocol::tcp) return from.hold(std::move(p));
    return observe(packet_event::moment::dropped, p, "sender is asleep");
  }
  refusal dropped{no_route};
  const auto targets = route(from, p, dropped);
  if (targets.empty()) {
    observe(packet_event::moment::dropped, p, dropped.why);
    if (p.protocol == protocol::udp && dropped.told) tell(from, p, *dropped.told);
    if (p.protocol == protocol::tcp) refuse_undeliverable(from, p, dropped);
  }
  for (const auto& t : targets) impair(from, p, t);
}

// A TCP without a way at all learns so at once, and so does one that a router answers; one that talks to a router that is
// silent learns nothing for long. What is said of an open connection is believed when it is a reset (RFC 5461 §2).
void network::refuse_undeliverable(host& from, const packet& p, const refusal& why) {
  const bool opens = p.segment.kind == segment_kind::open;
  const auto soon = now() + default_.latency;
  if (why.why == no_route) return refuse(from, p, base::errc::unreachable, soon);
  if (why.told && (opens || why.told == base::errc::refused))
    return refuse(from, p, opens ? *why.told : base::errc::closed, soon);
  if (!opens) refuse(from, p, base::errc::timed_out, now() + tcp_gives_up);
}

std::vector<network::destination> network::route(host& from, const packet& p, refusal& dropped) {
  const auto& to = p.destination.address;
  std::vector<destination> targets;
  if (to.is_multicast()) {
    for (const auto& h : hosts_)
      if (h->behind() == from.behind() && (h.get() == &from || !p.source.address.is_loopback()) && h->listens_to_group(p))
        targets.push_back({h.get(), p});
    return targets;
  }
  if (from.owns(to)) return {{&from, p}};
  if (to.is_loopback() || p.source.address.is_loopback()) return {};
  // Out through one router after the other, until the destination is to be found below.
  packet content = p;
  for (auto* network = from.behind();; network = network->parent()) {
    const bool own_network = network == from.behind();
    if (!(own_network && network != nullptr && network->behaviour().isolated)) {
      if (auto* found = find_inside(network, content, dropped)) return {{found, std::move(content)}};
      if (dropped.why != no_route) return {};
    }
    if (network == nullptr) return {};
    if (const auto why = network->outbound(content, now())) {
      dropped = why;
      return {};
    }
  }
}

// In this network, or behind one of its routers.
host* network::find_inside(router* network, packet& p, refusal& dropped) {
  const auto& to = p.destination.address;
  for (const auto& h : hosts_)
    if (h->behind() == network && h->owns(to)) return h.get();
  for (const auto& r : routers_) {
    if (r->parent() != network || !(r->has_outside(to) || leads_to(*r, to))) continue;
    if (const auto why = r->inbound(p, now())) {
      dropped = why;
      return nullptr;
    }
    auto* found = find_inside(r.get(), p, dropped);
    if (found == nullptr && dropped.why == no_route) dropped = {"nobody has this address inside"};
    return found;
  }
  return nullptr;
}

bool network::leads_to(const router& r, const base::ip_address& a) const {
  if (!r.is_transparent(a.family())) return false;
  for (const auto& h : hosts_)
    if (h->behind() == &r && h->owns(a)) return true;
  return std::ranges::any_of(
      routers_, [&](const auto& next) { return next->parent() == &r && (next->has_outside(a) || leads_to(*next, a)); });
}

void network::impair(host& from, const packet& sent, const destination& d) {
  auto& to = *d.to;
  const auto& p = d.content;
  if (&from == &to) return schedule(from, to, p, now() + inside_a_host);
  auto& line = link_between(from, to);
  if (p.protocol == protocol::tcp) return schedule(from, to, p, line.carry_segment(now(), p.size()));
  // What may be cut crosses in pieces, which share one fate.
  if (p.dont_fragment && p.size() > line.current().mtu) {
    observe(packet_event::moment::dropped, p, "larger than the link carries");
    return tell(from, sent, base::errc::too_large);
  }
  const auto fate = line.carry_datagram(now(), p.size());
  if (fate.copies == 0) observe(packet_event::moment::dropped, p, fate.dropped);
  for (const auto at : fate.arrivals()) schedule(from, to, p, at);
}

void network::schedule(host& from, host& to, packet p, base::instant arrival) {
  auto& f = flights_.emplace_back(*this, from, to, std::move(p));
  f.self = std::prev(flights_.end());
  loop_.arm(f, arrival);
}

void network::arrive(flight& f) {
  if (blocked(f.from, f.to) || (f.content.unreachable && f.to.asleep())) {
    if (f.content.protocol == protocol::tcp) return retransmit(f);
    observe(packet_event::moment::dropped, f.content, why_blocked(f.to));
  } else {
    switch (f.to.deliver(f.content)) {
      case delivery::taken: observe(packet_event::moment::delivered, f.content); break;
      case delivery::inbox_full: observe(packet_event::moment::dropped, f.content, "inbox full"); break;
      case delivery::nobody_listens:
        observe(packet_event::moment::dropped, f.content, "nobody listens");
        report_unreachable(f);
        break;
    }
  }
  flights_.erase(f.self);
}

// RFC 1122 §3.2.2.1, §3.2.2: a port unreachable; never of a multicast datagram, never of an error.
void network::report_unreachable(flight& f) {
  const auto& p = f.content;
  if (p.protocol != protocol::udp || p.unreachable || p.destination.address.is_multicast() || !f.to.refuses()) return;
  packet back{protocol::udp, p.destination, p.source, {}, {}};
  back.unreachable = base::errc::refused;
  transmit(f.to, std::move(back));
}

void network::retransmit(flight& f) {
  if (++f.attempt <= most_attempts) {
    loop_.arm(f, now() + retransmission_after(f.attempt - 1));
    return;
  }
  observe(packet_event::moment::dropped, f.content, "given up");
  refuse(f.from, f.content, base::errc::timed_out, now());
  flights_.erase(f.self);
}

// What somebody on the way says of a datagram, in the words of its sender: translated back where it was translated.
void network::tell(host& from, const packet& p, base::errc what) {
  if (p.unreachable || p.destination.address.is_multicast()) return;  // RFC 1122 §3.2.2
  packet back{protocol::udp, p.destination, p.source, {}, {}};
  back.unreachable = what;
  schedule(from, from, std::move(back), now() + default_.latency);
}

// Tells the sending TCP itself that it is of no use; no packet of anybody else's.
void network::refuse(host& from, const packet& p, base::errc reason, base::instant when) {
  if (p.segment.kind == segment_kind::reset) return;
  packet back{protocol::tcp, p.destination, p.source, {}, {}};
  back.segment.kind = segment_kind::reset;
  back.segment.reason = reason;
  schedule(from, from, std::move(back), when);
}

}  // namespace strata::sim
