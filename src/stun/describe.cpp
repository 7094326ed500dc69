#include "stun/describe.hpp"

#include <string_view>

#include "base/hex.hpp"
#include "stun/attributes.hpp"
#include "stun/registry.hpp"

namespace strata::stun {
namespace {

constexpr std::size_t longest_hex = 32;

std::string printable(base::byte_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c >= 0x20 && c < 0x7f) out += static_cast<char>(c);
    else (out += "\\x", out += digits[c >> 4], out += digits[c & 15]);
  }
  return out;
}

std::string quoted(std::string_view text) { return '"' + printable(base::as_bytes(text)) + '"'; }

std::string in_hex(base::byte_view data) {
  if (data.empty()) return "empty";
  if (data.size() <= longest_hex) return base::to_hex(data);
  return base::to_hex(data.first(longest_hex)) + "… (" + std::to_string(data.size()) + " bytes)";
}

std::string name_of_family(base::ip_family f) { return f == base::ip_family::v4 ? "IPv4" : "IPv6"; }

std::string name_of_algorithm(const password_algorithm& a) {
  std::string name = a.algorithm == algorithm::md5      ? "MD5"
                     : a.algorithm == algorithm::sha256 ? "SHA-256"
                                                        : "algorithm " + std::to_string(static_cast<unsigned>(a.algorithm));
  if (!a.parameters.empty()) name += " (" + in_hex(a.parameters) + ")";
  return name;
}

std::string refusal(int code, std::string_view reason) {
  const auto registered = reason_phrase(code);
  std::string text = std::to_string(code);
  if (!registered.empty()) text += " " + std::string(registered);
  if (!reason.empty() && reason != registered) text += ", " + quoted(reason);
  return text;
}

std::string hex_number(std::uint64_t value, int bytes) {
  base::bytes b;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) b.push_back(static_cast<std::uint8_t>(value >> shift));
  return "0x" + base::to_hex(b);
}

// One overload for each kind of value.
template <attribute_type T>
std::string text_of(const plain_address<T>& a) {
  return a.endpoint.to_string();
}
template <attribute_type T>
std::string text_of(const xor_address<T>& a) {
  return a.endpoint.to_string();
}
template <attribute_type T, std::size_t B, std::size_t C>
std::string text_of(const text_attribute<T, B, C>& a) {
  return quoted(a.text);
}
template <attribute_type T, std::size_t B>
std::string text_of(const opaque_attribute<T, B>& a) {
  return in_hex(a.bytes);
}
template <attribute_type T>
std::string text_of(const detail::flag<T>&) {
  return "set";
}
template <attribute_type T>
std::string text_of(const detail::number16<T>& a) {
  return std::to_string(a.value);
}
template <attribute_type T>
std::string text_of(const detail::number32<T>& a) {
  return std::to_string(a.value);
}
template <attribute_type T>
std::string text_of(const detail::number64<T>& a) {
  return hex_number(a.value, 8);
}
template <attribute_type T>
std::string text_of(const family_attribute<T>& a) {
  return name_of_family(a.family);
}

std::string text_of(const lifetime& a) { return std::to_string(a.value) + " s"; }
std::string text_of(const channel_number& a) { return hex_number(a.value, 2); }
std::string text_of(const userhash& a) { return base::to_hex(a.hash); }
std::string text_of(const password_algorithm& a) { return name_of_algorithm(a); }
std::string text_of(const password_algorithms& list) {
  std::string text;
  list.any([&](const password_algorithm& a) {
    text += (text.empty() ? "" : ", ") + name_of_algorithm(a);
    return false;
  });
  return text.empty() ? "none" : text;
}
std::string text_of(const error_code& e) { return refusal(e.code, e.reason); }
std::string text_of(const address_error_code& e) { return name_of_family(e.family) + ": " + refusal(e.code, e.reason); }
std::string text_of(const unknown_attributes& list) {
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : ", ") + name_of(list.at(i));
  return text.empty() ? "none" : text;
}
std::string text_of(const change_request& c) {
  return std::string("change IP: ") + (c.change_ip ? "yes" : "no") + ", change port: " + (c.change_port ? "yes" : "no");
}
std::string text_of(const even_port& e) { return e.reserve_next ? "and reserve the next port" : "alone"; }
std::string text_of(const requested_transport& t) {
  return t.protocol == requested_transport::udp   ? "UDP"
         : t.protocol == requested_transport::tcp ? "TCP"
                                                  : "protocol " + std::to_string(t.protocol);
}
std::string text_of(const reservation_token& t) { return base::to_hex(t.token); }
std::string text_of(const icmp& i) {
  return "type " + std::to_string(i.icmp_type) + ", code " + std::to_string(i.code) + ", data " + hex_number(i.error_data, 4);
}

template <class Attribute>
std::string decoded(const attribute& a, const transaction_id& id) {
  const auto value = Attribute::decode(a, id);
  return value ? text_of(*value) : "invalid: " + value.error().message();
}

}  // namespace

std::string describe(const attribute& a, const transaction_id& id) {
  switch (a.type) {
    case attribute_type::mapped_address: return decoded<mapped_address>(a, id);
    case attribute_type::alternate_server: return decoded<alternate_server>(a, id);
    case attribute_type::response_origin: return decoded<response_origin>(a, id);
    case attribute_type::other_address: return decoded<other_address>(a, id);
    case attribute_type::xor_mapped_address: return decoded<xor_mapped_address>(a, id);
    case attribute_type::xor_peer_address: return decoded<xor_peer_address>(a, id);
    case attribute_type::xor_relayed_address: return decoded<xor_relayed_address>(a, id);
    case attribute_type::username: return decoded<username>(a, id);
    case attribute_type::realm: return decoded<realm>(a, id);
    case attribute_type::nonce: return decoded<nonce>(a, id);
    case attribute_type::software: return decoded<software>(a, id);
    case attribute_type::alternate_domain: return decoded<alternate_domain>(a, id);
    case attribute_type::data: return decoded<data>(a, id);
    case attribute_type::mobility_ticket: return decoded<mobility_ticket>(a, id);
    case attribute_type::padding: return decoded<padding>(a, id);
    case attribute_type::goog_network_info: return decoded<goog_network_info>(a, id);
    case attribute_type::userhash: return decoded<userhash>(a, id);
    case attribute_type::password_algorithm: return decoded<password_algorithm>(a, id);
    case attribute_type::password_algorithms: return decoded<password_algorithms>(a, id);
    case attribute_type::error_code: return decoded<error_code>(a, id);
    case attribute_type::address_error_code: return decoded<address_error_code>(a, id);
    case attribute_type::unknown_attributes: return decoded<unknown_attributes>(a, id);
    case attribute_type::priority: return decoded<priority>(a, id);
    case attribute_type::nomination: return decoded<nomination>(a, id);
    case attribute_type::use_candidate: return decoded<use_candidate>(a, id);
    case attribute_type::ice_controlled: return decoded<ice_controlled>(a, id);
    case attribute_type::ice_controlling: return decoded<ice_controlling>(a, id);
    case attribute_type::change_request: return decoded<change_request>(a, id);
    case attribute_type::response_port: return decoded<response_port>(a, id);
    case attribute_type::channel_number: return decoded<channel_number>(a, id);
    case attribute_type::lifetime: return decoded<lifetime>(a, id);
    case attribute_type::dont_fragment: return decoded<dont_fragment>(a, id);
    case attribute_type::connection_id: return decoded<connection_id>(a, id);
    case attribute_type::requested_address_family: return decoded<requested_address_family>(a, id);
    case attribute_type::additional_address_family: return decoded<additional_address_family>(a, id);
    case attribute_type::even_port: return decoded<even_port>(a, id);
    case attribute_type::requested_transport: return decoded<requested_transport>(a, id);
    case attribute_type::reservation_token: return decoded<reservation_token>(a, id);
    case attribute_type::icmp: return decoded<icmp>(a, id);
    case attribute_type::message_integrity:
    case attribute_type::message_integrity_sha256:
    case attribute_type::fingerprint: break;
  }
  return in_hex(a.value);
}

}  // namespace strata::stun
