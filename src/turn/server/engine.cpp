#include "turn/server/engine.hpp"

#include <utility>

#include "stun/attributes.hpp"
#include "stun/binding_responder.hpp"
#include "stun/channel_data.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/unknown.hpp"
#include "turn/server/request.hpp"

namespace strata::turn::server {

using stun::message_class;
using stun::method;

// exception: 8656-6-d the allocation keeps the username alone; passwords are the operator's list, or made anew from the secret
// exception: 8656-13-a datagrams are sent by the system with its defaults in every header field
engine::engine(rules_config c, own_addresses own, base::bytes nonce_secret, std::uint64_t limiter_seed, port_source& ports)
    : config_(std::move(c)),
      own_(std::move(own)),
      ports_(ports),
      authenticator_(config_, std::move(nonce_secret)),
      limiter_(limiter_seed, config_.unauthenticated_per_second, config_.unauthenticated_burst) {}

outcome engine::drop(std::uint64_t counters::* counter, std::string_view reason) {
  ++(counters_.*counter);
  return {.what = outcome::kind::dropped, .reason = reason};
}

outcome engine::from_client(base::byte_view message, const five_tuple& tuple, moment t, base::bytes& out) {
  if (stun::is_channel_data(message)) return on_channel_data(message, tuple, t);
  const auto m = stun::message_view::parse(message);
  // A Binding request may be of RFC 3489, without a cookie.
  if (!m || m->is(message_class::request, method::binding)) return on_binding(message, tuple, t, out);
  if (stun::check_fingerprint(*m) == stun::fingerprint_check::invalid)
    return drop(&counters::dropped_malformed, "FINGERPRINT does not match");
  if (m->class_() == message_class::request && !known_attributes(m->method()).empty() && m->method() != method::send)
    return on_request(*m, tuple, t, out);
  if (m->is(message_class::indication, method::send)) return on_send(*m, tuple, t);
  // Binding indications keep a NAT open and want no answer; the rest is nothing that clients say.
  return drop(&counters::dropped_not_expected, "nothing that a TURN client sends");
}

outcome engine::on_binding(base::byte_view message, const five_tuple& tuple, moment t, base::bytes& out) {
  // Anybody may ask, in somebody else's name: no SOFTWARE, so that the answer is 1.6 times its request at most.
  const auto verdict = stun::respond_binding({}, message, tuple.client, out);
  if (out.empty())
    return verdict == stun::responder_verdict::not_a_request
               ? drop(&counters::dropped_not_expected, "nothing that a TURN client sends")
               : drop(&counters::dropped_malformed, "neither STUN nor ChannelData");
  if (!tuple.is_stream() && !limiter_.admit(tuple.client.address, t.now)) {
    out.clear();
    return drop(&counters::dropped_rate_limited, "more than one address may ask");
  }
  ++counters_.bindings;
  return {.what = outcome::kind::answered};
}

outcome engine::on_request(const stun::message_view& m, const five_tuple& tuple, moment t, base::bytes& out) {
  ++counters_.requests;
  request r{.message = m, .tuple = tuple, .when = t, .out = out};
  r.allocation = table_.find(tuple);
  r.admission = authenticator_.admit(m, tuple.client, t, r.allocation ? r.allocation->username() : std::string_view());
  if (!r.admission.admitted()) return unauthenticated(r);
  r.username = authenticator_.username_of(m);
  r.unknown = stun::unknown_required(m, known_attributes(m.method()));
  const auto result = [&]() -> code {
    if (m.method() == method::allocate) return on_allocate(r);
    if (!r.unknown.empty()) return 420;
    if (r.allocation == nullptr) return 437;
    // RFC 8656 §5: the username that made the allocation and no other, not even a renewed one of the same user.
    if (r.allocation->username() != r.username) return 441;
    if (m.method() == method::refresh) return on_refresh(r);
    if (m.method() == method::create_permission) return on_create_permission(r);
    return on_channel_bind(r);
  }();
  if (result != 0) return refuse(r, result);
  ++counters_.answered;
  return {.what = outcome::kind::answered};
}

outcome engine::refuse(request& r, code c) {
  ++counters_.refused[c];
  r.answer(message_class::error, config_, [&](stun::message_writer& w) {
    w.add(stun::error_code{c, {}});
    if (c == 420) w.add(stun::unknown_attribute_list{r.unknown});
    if (c == 401 || c == 438) authenticator_.challenge(w, r.tuple.client, r.when);
  });
  return {.what = outcome::kind::answered};
}

// Whoever forges a source address makes us send to its owner: no more than a little of that, and nothing is remembered.
outcome engine::unauthenticated(request& r) {
  if (!r.tuple.is_stream() && !limiter_.admit(r.tuple.client.address, r.when.now))
    return drop(&counters::dropped_rate_limited, "more than one address may ask");
  return refuse(r, r.admission.refusal);
}

outcome engine::on_send(const stun::message_view& m, const five_tuple& tuple, moment t) {
  const auto* a = table_.find(tuple);
  if (a == nullptr) return drop(&counters::dropped_no_allocation, "no allocation");
  const auto s = read_send(m);
  if (!s) return drop(&counters::dropped_malformed, "a Send indication without peer or data, or with something unknown");
  return to_peer(*a, s->peer, s->data, t);
}

outcome engine::on_channel_data(base::byte_view message, const five_tuple& tuple, moment t) {
  const auto c = stun::channel_data::parse(message);
  if (!c) return drop(&counters::dropped_malformed, "malformed ChannelData");
  const auto* a = table_.find(tuple);
  if (a == nullptr) return drop(&counters::dropped_no_allocation, "no allocation");
  const auto peer = a->peer_of(c->channel, t.now);
  if (!peer) return drop(&counters::dropped_no_channel, "no such channel");
  return to_peer(*a, *peer, c->data, t);
}

// RFC 8656 §11.2: neither this nor ChannelData (§12.6) makes a permission last longer. A channel outlives its permission by
// five minutes unless both are renewed; nothing goes to a peer without permission, whichever way it is addressed.
outcome engine::to_peer(const allocation& a, const base::endpoint& peer, base::byte_view payload, moment t) {
  if (!a.has(peer.address.family()) || !a.permitted(peer.address, t.now))
    return drop(&counters::dropped_no_permission, "no permission for the peer");
  if (!may_send(config_.peers, own_, peer)) return drop(&counters::dropped_peer_refused, "no peer of this relay");
  if (!table_.spend(a, payload.size(), t.now, config_.limits.bytes_per_second_of_one_user))
    return drop(&counters::dropped_over_quota, "more than one user may send");
  ++counters_.to_peers;
  counters_.to_peers_bytes += payload.size();
  return {.what = outcome::kind::to_peer, .from = a.id(), .peer = peer, .payload = payload};
}

const five_tuple* engine::from_peer(allocation_id id, const base::endpoint& peer, base::byte_view payload, base::instant now,
                                    base::bytes& out) {
  const auto* a = table_.find(id);
  if (a == nullptr) return nullptr;
  // RFC 8656 §9: addresses are compared, ports are not.
  if (!a->permitted(peer.address, now)) {
    ++counters_.dropped_no_permission;
    return nullptr;
  }
  if (!table_.spend(*a, payload.size(), now, config_.limits.bytes_per_second_of_one_user)) {
    ++counters_.dropped_over_quota;
    return nullptr;
  }
  // RFC 8656 §12.5: where there is a channel it has to be used.
  if (const auto number = a->channel_of(peer, now)) {
    if (!stun::write_channel_data(out, *number, payload, a->tuple().is_stream())) return nullptr;
  } else {
    stun::message_writer w(out, {message_class::indication, method::data}, indication_id(counters_.from_peers, 0));
    w.add(stun::xor_peer_address{peer}).add(stun::data{payload});
    if (!w.status()) {
      out.clear();
      ++counters_.dropped_malformed;  // larger than an indication can hold
      return nullptr;
    }
  }
  ++counters_.from_peers;
  counters_.from_peers_bytes += payload.size();
  return &a->tuple();
}

// RFC 8656 §11.5: it is the peer that has to have a permission; whoever on the way sent the report is nobody we know. A channel
// is not used for it (§12.5).
const five_tuple* engine::from_network(allocation_id id, const base::endpoint& peer, const stun::icmp& what, base::instant now,
                                       base::bytes& out) {
  const auto* a = table_.find(id);
  if (a == nullptr || !a->permitted(peer.address, now)) return nullptr;
  stun::message_writer w(out, {message_class::indication, method::data}, indication_id(counters_.reports++, 1));
  w.add(stun::xor_peer_address{peer}).add(what);
  return &a->tuple();
}

void engine::client_gone(const five_tuple& tuple) {
  if (auto* a = table_.find(tuple)) {
    ++counters_.released;
    remove(*a);
  }
}

void engine::expire(base::instant now) {
  for (const auto id : table_.due(now)) {
    auto& a = *table_.find(id);
    for (const auto f : {base::ip_family::v4, base::ip_family::v6})
      if (a.has(f) && a.expires(f) <= now) close_relay(a, f);
    if (a.empty()) ++counters_.expired;
    if (a.empty()) table_.remove(id);
    else table_.reschedule(a);
  }
}

void engine::close_relay(allocation& a, base::ip_family f) {
  a.remove(f);
  ports_.close(a.id(), f);
}

void engine::remove(allocation& a) {
  for (const auto f : {base::ip_family::v4, base::ip_family::v6})
    if (a.has(f)) close_relay(a, f);
  table_.remove(a.id());
}

}  // namespace strata::turn::server
