#include "turn/server/requests.hpp"

#include <algorithm>
#include <array>

#include "stun/attributes/address.hpp"
#include "stun/attributes/text.hpp"
#include "stun/attributes/turn.hpp"
#include "stun/channel_data.hpp"
#include "stun/unknown.hpp"

namespace strata::turn::server {
namespace {

using base::ip_family;
using stun::attribute_type;

tl::unexpected<refusal> refuse(int code) { return tl::unexpected(refusal{code}); }

// Absent is fine; there and unreadable is not.
template <class Attribute>
asked<std::optional<Attribute>> optional(const stun::message_view& m) {
  if (!m.has(Attribute::type)) return std::optional<Attribute>();
  const auto a = m.get<Attribute>();
  if (!a) return refuse(400);
  return std::optional<Attribute>(*a);
}

}  // namespace

bool offers(const rules_config& c, base::ip_family f) noexcept {
  return std::ranges::any_of(c.relay, [f](const relay_address& r) { return r.bind.family() == f; });
}

std::span<const attribute_type> known_attributes(stun::method m) noexcept {
  using enum attribute_type;
  static constexpr std::array allocate{requested_transport, lifetime,          requested_address_family,
                                       even_port,           reservation_token, additional_address_family};
  static constexpr std::array refresh{lifetime, requested_address_family};
  static constexpr std::array create_permission{xor_peer_address};
  static constexpr std::array channel_bind{channel_number, xor_peer_address};
  static constexpr std::array send{xor_peer_address, data};
  switch (m) {
    case stun::method::allocate: return allocate;
    case stun::method::refresh: return refresh;
    case stun::method::create_permission: return create_permission;
    case stun::method::channel_bind: return channel_bind;
    case stun::method::send: return send;
    default: return {};
  }
}

base::duration granted_lifetime(std::optional<std::uint32_t> seconds, const rules_config& c) noexcept {
  if (!seconds) return c.default_lifetime;
  const base::duration wanted = std::chrono::seconds(*seconds);
  return std::max(c.default_lifetime, std::min(wanted, c.longest_lifetime));
}

asked<allocate_request> read_allocate(const stun::message_view& m, const rules_config& c) {
  const auto transport = m.get<stun::requested_transport>();
  if (!transport) return refuse(400);
  if (transport->protocol != stun::requested_transport::udp) return refuse(442);
  const auto lifetime = optional<stun::lifetime>(m);
  const auto family = optional<stun::requested_address_family>(m);
  const auto additional = optional<stun::additional_address_family>(m);
  const auto even = optional<stun::even_port>(m);
  const auto token = optional<stun::reservation_token>(m);
  if (!lifetime || !additional || !even || !token) return refuse(400);
  // RFC 8656 §18.6: a family with a number that has no meaning is one that is not supported.
  if (!family) return refuse(m.find(attribute_type::requested_address_family)->value.size() == 4 ? 440 : 400);
  if (*token) {
    if (*even || *family || *additional) return refuse(400);
    return refuse(508);  // no port is ever reserved here, so no token is valid
  }
  if (*family && *additional) return refuse(400);
  allocate_request r;
  r.lifetime = granted_lifetime(*lifetime ? std::optional((*lifetime)->value) : std::nullopt, c);
  r.even_port = even->has_value();
  if (*additional) {
    if (*even && (*even)->reserve_next) return refuse(400);
    if ((*additional)->family == ip_family::v4) return refuse(400);
    r.both = true;
    r.families = {ip_family::v4, ip_family::v6};
    if (!offers(c, ip_family::v4) && !offers(c, ip_family::v6)) return refuse(508);
    return r;
  }
  r.families = {*family ? (*family)->family : ip_family::v4};
  if (!offers(c, r.families.front())) return refuse(440);
  if (*even && (*even)->reserve_next) return refuse(508);
  return r;
}

asked<refresh_request> read_refresh(const stun::message_view& m, const allocation& a, const rules_config& c) {
  const auto lifetime = optional<stun::lifetime>(m);
  const auto family = optional<stun::requested_address_family>(m);
  if (!lifetime) return refuse(400);
  if (!family) return refuse(443);
  refresh_request r;
  for (const auto f : {ip_family::v4, ip_family::v6})
    if (a.has(f) && (!*family || (*family)->family == f)) r.families.push_back(f);
  if (r.families.empty()) return refuse(443);
  const auto seconds = *lifetime ? std::optional((*lifetime)->value) : std::nullopt;
  r.lifetime = seconds == 0u ? base::duration::zero() : granted_lifetime(seconds, c);
  return r;
}

asked<std::vector<base::ip_address>> read_create_permission(const stun::message_view& m, const allocation& a,
                                                            const peer_policy& policy, const own_addresses& own) {
  std::vector<base::ip_address> peers;
  for (const auto& each : m) {
    if (each.ignored || each.type != attribute_type::xor_peer_address) continue;
    const auto peer = stun::xor_peer_address::decode(each, m.transaction_id());
    if (!peer) return refuse(400);
    peers.push_back(peer->endpoint.address);
  }
  if (peers.empty()) return refuse(400);
  for (const auto& p : peers)
    if (!a.has(p.family())) return refuse(443);
  for (const auto& p : peers)
    if (!may_permit(policy, own, p)) return refuse(403);
  return peers;
}

asked<channel_bind_request> read_channel_bind(const stun::message_view& m, const allocation& a, const peer_policy& policy,
                                              const own_addresses& own) {
  const auto number = m.get<stun::channel_number>();
  const auto peer = m.get<stun::xor_peer_address>();
  if (!number || !peer) return refuse(400);
  if (number->value < stun::first_channel || number->value > stun::last_channel) return refuse(400);
  if (!a.has(peer->endpoint.address.family())) return refuse(443);
  if (!may_send(policy, own, peer->endpoint)) return refuse(403);
  return channel_bind_request{number->value, peer->endpoint};
}

std::optional<send_indication> read_send(const stun::message_view& m) {
  if (!stun::unknown_required(m, known_attributes(stun::method::send)).empty()) return std::nullopt;
  const auto peer = m.get<stun::xor_peer_address>();
  const auto payload = m.get<stun::data>();
  if (!peer || !payload) return std::nullopt;
  return send_indication{peer->endpoint, payload->bytes};
}

}  // namespace strata::turn::server
