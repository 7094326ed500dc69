// Attribute numbers. Their names and sections are in registry.hpp; 0x0000–0x7fff must be understood by whoever
// receives them, 0x8000–0xffff may be ignored (RFC 8489 §14).
#pragma once

#include <cstdint>

namespace strata::stun {

enum class attribute_type : std::uint16_t {
  // RFC 8489
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  realm = 0x0014,
  nonce = 0x0015,
  message_integrity_sha256 = 0x001c,
  password_algorithm = 0x001d,
  userhash = 0x001e,
  xor_mapped_address = 0x0020,
  password_algorithms = 0x8002,
  alternate_domain = 0x8003,
  software = 0x8022,
  alternate_server = 0x8023,
  fingerprint = 0x8028,
  // RFC 8656 (TURN), RFC 6062 (connection_id), RFC 8016 (mobility_ticket)
  channel_number = 0x000c,
  lifetime = 0x000d,
  xor_peer_address = 0x0012,
  data = 0x0013,
  xor_relayed_address = 0x0016,
  requested_address_family = 0x0017,
  even_port = 0x0018,
  requested_transport = 0x0019,
  dont_fragment = 0x001a,
  reservation_token = 0x0022,
  connection_id = 0x002a,
  additional_address_family = 0x8000,
  address_error_code = 0x8001,
  icmp = 0x8004,
  mobility_ticket = 0x8030,
  // RFC 8445 (ICE)
  priority = 0x0024,
  use_candidate = 0x0025,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
  // RFC 5780 (NAT behaviour discovery)
  change_request = 0x0003,
  padding = 0x0026,
  response_port = 0x0027,
  response_origin = 0x802b,
  other_address = 0x802c,
  // seen in the field
  nomination = 0xc001,         // draft-thatcher-ice-renomination; libwebrtc
  goog_network_info = 0xc057,  // libwebrtc and browsers, in every check
};

[[nodiscard]] constexpr bool comprehension_required(attribute_type t) noexcept {
  return static_cast<std::uint16_t>(t) < 0x8000;
}

}  // namespace strata::stun
