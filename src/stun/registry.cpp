#include "stun/registry.hpp"

#include <algorithm>
#include <array>

namespace strata::stun {
namespace {

constexpr std::array method_table{
    method_entry{method::binding, "Binding", "RFC 8489 §18.2"},
    method_entry{method::allocate, "Allocate", "RFC 8656 §7"},
    method_entry{method::refresh, "Refresh", "RFC 8656 §8"},
    method_entry{method::send, "Send", "RFC 8656 §11"},
    method_entry{method::data, "Data", "RFC 8656 §11"},
    method_entry{method::create_permission, "CreatePermission", "RFC 8656 §10"},
    method_entry{method::channel_bind, "ChannelBind", "RFC 8656 §12"},
    method_entry{method::connect, "Connect", "RFC 6062 §4.3"},
    method_entry{method::connection_bind, "ConnectionBind", "RFC 6062 §4.3"},
    method_entry{method::connection_attempt, "ConnectionAttempt", "RFC 6062 §4.4"},
};

constexpr std::array attribute_table{
    attribute_entry{attribute_type::mapped_address, "MAPPED-ADDRESS", "RFC 8489 §14.1"},
    attribute_entry{attribute_type::change_request, "CHANGE-REQUEST", "RFC 5780 §7.2"},
    attribute_entry{attribute_type::username, "USERNAME", "RFC 8489 §14.3"},
    attribute_entry{attribute_type::message_integrity, "MESSAGE-INTEGRITY", "RFC 8489 §14.5"},
    attribute_entry{attribute_type::error_code, "ERROR-CODE", "RFC 8489 §14.8"},
    attribute_entry{attribute_type::unknown_attributes, "UNKNOWN-ATTRIBUTES", "RFC 8489 §14.13"},
    attribute_entry{attribute_type::channel_number, "CHANNEL-NUMBER", "RFC 8656 §18.1"},
    attribute_entry{attribute_type::lifetime, "LIFETIME", "RFC 8656 §18.2"},
    attribute_entry{attribute_type::xor_peer_address, "XOR-PEER-ADDRESS", "RFC 8656 §18.3"},
    attribute_entry{attribute_type::data, "DATA", "RFC 8656 §18.4"},
    attribute_entry{attribute_type::realm, "REALM", "RFC 8489 §14.9"},
    attribute_entry{attribute_type::nonce, "NONCE", "RFC 8489 §14.10"},
    attribute_entry{attribute_type::xor_relayed_address, "XOR-RELAYED-ADDRESS", "RFC 8656 §18.5"},
    attribute_entry{attribute_type::requested_address_family, "REQUESTED-ADDRESS-FAMILY", "RFC 8656 §18.6"},
    attribute_entry{attribute_type::even_port, "EVEN-PORT", "RFC 8656 §18.7"},
    attribute_entry{attribute_type::requested_transport, "REQUESTED-TRANSPORT", "RFC 8656 §18.8"},
    attribute_entry{attribute_type::dont_fragment, "DONT-FRAGMENT", "RFC 8656 §18.9"},
    attribute_entry{attribute_type::message_integrity_sha256, "MESSAGE-INTEGRITY-SHA256", "RFC 8489 §14.6"},
    attribute_entry{attribute_type::password_algorithm, "PASSWORD-ALGORITHM", "RFC 8489 §14.12"},
    attribute_entry{attribute_type::userhash, "USERHASH", "RFC 8489 §14.4"},
    attribute_entry{attribute_type::xor_mapped_address, "XOR-MAPPED-ADDRESS", "RFC 8489 §14.2"},
    attribute_entry{attribute_type::reservation_token, "RESERVATION-TOKEN", "RFC 8656 §18.10"},
    attribute_entry{attribute_type::priority, "PRIORITY", "RFC 8445 §16.1"},
    attribute_entry{attribute_type::use_candidate, "USE-CANDIDATE", "RFC 8445 §16.1"},
    attribute_entry{attribute_type::padding, "PADDING", "RFC 5780 §7.6"},
    attribute_entry{attribute_type::response_port, "RESPONSE-PORT", "RFC 5780 §7.5"},
    attribute_entry{attribute_type::connection_id, "CONNECTION-ID", "RFC 6062 §6.2.1"},
    attribute_entry{attribute_type::additional_address_family, "ADDITIONAL-ADDRESS-FAMILY", "RFC 8656 §18.11"},
    attribute_entry{attribute_type::address_error_code, "ADDRESS-ERROR-CODE", "RFC 8656 §18.12"},
    attribute_entry{attribute_type::password_algorithms, "PASSWORD-ALGORITHMS", "RFC 8489 §14.11"},
    attribute_entry{attribute_type::alternate_domain, "ALTERNATE-DOMAIN", "RFC 8489 §14.16"},
    attribute_entry{attribute_type::icmp, "ICMP", "RFC 8656 §18.13"},
    attribute_entry{attribute_type::software, "SOFTWARE", "RFC 8489 §14.14"},
    attribute_entry{attribute_type::alternate_server, "ALTERNATE-SERVER", "RFC 8489 §14.15"},
    attribute_entry{attribute_type::fingerprint, "FINGERPRINT", "RFC 8489 §14.7"},
    attribute_entry{attribute_type::ice_controlled, "ICE-CONTROLLED", "RFC 8445 §16.1"},
    attribute_entry{attribute_type::ice_controlling, "ICE-CONTROLLING", "RFC 8445 §16.1"},
    attribute_entry{attribute_type::response_origin, "RESPONSE-ORIGIN", "RFC 5780 §7.3"},
    attribute_entry{attribute_type::other_address, "OTHER-ADDRESS", "RFC 5780 §7.4"},
    attribute_entry{attribute_type::mobility_ticket, "MOBILITY-TICKET", "RFC 8016 §3"},
    attribute_entry{attribute_type::nomination, "NOMINATION", "draft-thatcher-ice-renomination §3"},
    attribute_entry{attribute_type::goog_network_info, "GOOG-NETWORK-INFO", "libwebrtc"},
};
static_assert(std::ranges::is_sorted(attribute_table, {}, &attribute_entry::number));

constexpr std::array error_table{
    error_entry{300, "Try Alternate", "RFC 8489 §14.8"},
    error_entry{400, "Bad Request", "RFC 8489 §14.8"},
    error_entry{401, "Unauthenticated", "RFC 8489 §14.8"},
    error_entry{403, "Forbidden", "RFC 8656 §19"},
    error_entry{405, "Mobility Forbidden", "RFC 8016 §3"},
    error_entry{420, "Unknown Attribute", "RFC 8489 §14.8"},
    error_entry{437, "Allocation Mismatch", "RFC 8656 §19"},
    error_entry{438, "Stale Nonce", "RFC 8489 §14.8"},
    error_entry{440, "Address Family not Supported", "RFC 8656 §19"},
    error_entry{441, "Wrong Credentials", "RFC 8656 §19"},
    error_entry{442, "Unsupported Transport Protocol", "RFC 8656 §19"},
    error_entry{443, "Peer Address Family Mismatch", "RFC 8656 §19"},
    error_entry{446, "Connection Already Exists", "RFC 6062 §6.3"},
    error_entry{447, "Connection Timeout or Failure", "RFC 6062 §6.3"},
    error_entry{486, "Allocation Quota Reached", "RFC 8656 §19"},
    error_entry{487, "Role Conflict", "RFC 8445 §16.2"},
    error_entry{500, "Server Error", "RFC 8489 §14.8"},
    error_entry{508, "Insufficient Capacity", "RFC 8656 §19"},
};
static_assert(std::ranges::is_sorted(error_table, {}, &error_entry::code));

std::string hex16(std::uint16_t number) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text = "0x";
  for (int shift = 12; shift >= 0; shift -= 4) text += digits[number >> shift & 0xf];
  return text;
}

}  // namespace

std::span<const method_entry> methods() noexcept { return method_table; }
std::span<const attribute_entry> attributes() noexcept { return attribute_table; }
std::span<const error_entry> error_codes() noexcept { return error_table; }

const attribute_entry* find_entry(attribute_type t) noexcept {
  const auto* found = std::ranges::lower_bound(attribute_table, t, {}, &attribute_entry::number);
  return found != attribute_table.end() && found->number == t ? found : nullptr;
}

const method_entry* find_entry(method m) noexcept {
  const auto* found = std::ranges::find(method_table, m, &method_entry::number);
  return found != method_table.end() ? found : nullptr;
}

const error_entry* find_error(int code) noexcept {
  const auto* found = std::ranges::find(error_table, code, &error_entry::code);
  return found != error_table.end() ? found : nullptr;
}

std::string name_of(attribute_type t) {
  const auto* entry = find_entry(t);
  return entry != nullptr ? std::string(entry->name) : hex16(static_cast<std::uint16_t>(t));
}

std::string name_of(method m) {
  const auto* entry = find_entry(m);
  return entry != nullptr ? std::string(entry->name) : hex16(static_cast<std::uint16_t>(m));
}

std::string_view name_of(message_class c) noexcept {
  switch (c) {
    case message_class::request: return "request";
    case message_class::indication: return "indication";
    case message_class::success: return "success response";
    case message_class::error: return "error response";
  }
  return "";
}

std::string_view reason_phrase(int code) noexcept {
  const auto* entry = find_error(code);
  return entry != nullptr ? entry->reason : std::string_view();
}

}  // namespace strata::stun
