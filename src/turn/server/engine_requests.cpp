// The four requests of TURN, after the client has proved who it is.
#include <chrono>

#include "stun/attributes.hpp"
#include "turn/server/request.hpp"

namespace strata::turn::server {
namespace {

std::uint32_t seconds(base::duration d) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

}  // namespace

// exception: 8656-7.2-r no port is ever reserved: EVEN-PORT with R=1 is answered with 508
engine::code engine::on_allocate(request& r) {
  if (r.allocation != nullptr) {
    // RFC 8656 §7.2, note: a request that comes twice is one request, and its answer can be made again from the allocation.
    if (r.allocation->made_by() != r.message.transaction_id()) return 437;
    r.answer(stun::message_class::success, config_, [&](stun::message_writer& w) { answer_allocate(r, *r.allocation, w); });
    return 0;
  }
  if (const auto transport = r.message.get<stun::requested_transport>(); !transport) return 400;
  else if (transport->protocol != stun::requested_transport::udp) return 442;
  if (!r.unknown.empty()) return 420;
  const auto wanted = read_allocate(r.message, config_);
  if (!wanted) return wanted.error().code;
  if (table_.of_user(authenticator::user_of(r.username)) >= config_.limits.allocations_of_one_user) return 486;
  if (table_.size() >= config_.limits.allocations) return 508;
  return open_relays(r, *wanted);
}

engine::code engine::open_relays(request& r, const allocate_request& wanted) {
  auto& a = table_.add(r.tuple, r.username, std::string(authenticator::user_of(r.username)), r.message.transaction_id());
  for (const auto f : wanted.families) {
    if (!offers(config_, f)) continue;
    if (const auto address = ports_.open(a.id(), f, wanted.even_port)) a.add_relay(*address, r.when.now + wanted.lifetime);
  }
  if (a.empty()) {
    table_.remove(a.id());
    return 508;
  }
  table_.reschedule(a);
  ++counters_.allocated;
  r.answer(stun::message_class::success, config_, [&](stun::message_writer& w) { answer_allocate(r, a, w); });
  return 0;
}

void engine::answer_allocate(const request& r, const allocation& a, stun::message_writer& w) const {
  for (const auto f : {base::ip_family::v4, base::ip_family::v6})
    if (const auto address = a.relayed(f)) w.add(stun::xor_relayed_address{*address});
  w.add(stun::lifetime{seconds(a.first_expiry() - r.when.now)});
  w.add(stun::xor_mapped_address{{r.tuple.client.address.unmapped(), r.tuple.client.port}});
  // RFC 8656 §7.2, check 9: one of two is a success, with a word about the other.
  if (!r.message.has(stun::attribute_type::additional_address_family)) return;
  for (const auto f : {base::ip_family::v4, base::ip_family::v6})
    if (!a.has(f)) w.add(stun::address_error_code{f, offers(config_, f) ? 508 : 440, {}});
}

engine::code engine::on_refresh(request& r) {
  auto& a = *r.allocation;
  const auto wanted = read_refresh(r.message, a, config_);
  if (!wanted) return wanted.error().code;
  r.answer(stun::message_class::success, config_,
           [&](stun::message_writer& w) { w.add(stun::lifetime{seconds(wanted->lifetime)}); });
  for (const auto f : wanted->families) {
    if (wanted->lifetime == base::duration::zero()) close_relay(a, f);
    else a.refresh(f, r.when.now + wanted->lifetime);
  }
  if (a.empty()) {
    ++counters_.released;
    table_.remove(a.id());
  } else {
    table_.reschedule(a);
  }
  return 0;
}

engine::code engine::on_create_permission(request& r) {
  const auto peers = read_create_permission(r.message, *r.allocation, config_.peers, own_);
  if (!peers) return peers.error().code;
  if (!r.allocation->permit(*peers, r.when.now, config_)) return 508;
  r.answer(stun::message_class::success, config_, [](stun::message_writer&) {});
  return 0;
}

engine::code engine::on_channel_bind(request& r) {
  const auto wanted = read_channel_bind(r.message, *r.allocation, config_.peers, own_);
  if (!wanted) return wanted.error().code;
  switch (r.allocation->bind(wanted->number, wanted->peer, r.when.now, config_)) {
    case allocation::bind_verdict::conflict: return 400;
    case allocation::bind_verdict::full: return 508;
    case allocation::bind_verdict::bound: break;
  }
  r.answer(stun::message_class::success, config_, [](stun::message_writer&) {});
  return 0;
}

}  // namespace strata::turn::server
