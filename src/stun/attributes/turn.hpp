// Attributes of TURN, RFC 8656 §18 and RFC 6062 §6.2 (XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS are in address.hpp, DATA and
// MOBILITY-TICKET in text.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/ip_address.hpp"
#include "stun/attributes/numbers.hpp"

namespace strata::stun {

using channel_number = detail::number16<attribute_type::channel_number>;  // §18.1: the number, then 16 reserved bits
using lifetime = detail::number32<attribute_type::lifetime>;              // §18.2: seconds
using dont_fragment = detail::flag<attribute_type::dont_fragment>;        // §18.9
using connection_id = detail::number32<attribute_type::connection_id>;    // RFC 6062 §6.2.1

// §18.6, §18.11: one byte as in MAPPED-ADDRESS, then 24 reserved bits.
template <attribute_type Type>
struct family_attribute {
  static constexpr attribute_type type = Type;
  base::ip_family family = base::ip_family::v4;

  static base::result<family_attribute> decode(const attribute& a, const transaction_id&) {
    if (auto ok = detail::expect_length(a, 4, "4"); !ok) return base::fail(ok.error());
    if (a.value[0] != 1 && a.value[0] != 2) return base::fail(errc::bad_address_family, a.offset + 4, "1 (IPv4) or 2 (IPv6)");
    return family_attribute{a.value[0] == 1 ? base::ip_family::v4 : base::ip_family::v6};
  }
  void encode(base::byte_writer& out, const transaction_id&) const {
    out.u8(family == base::ip_family::v4 ? 1 : 2);
    out.fill(3);
  }
  friend bool operator==(const family_attribute&, const family_attribute&) = default;
};
using requested_address_family = family_attribute<attribute_type::requested_address_family>;
using additional_address_family = family_attribute<attribute_type::additional_address_family>;

// §18.7: one byte, of which the top bit asks to reserve the next higher port too.
struct even_port {
  static constexpr attribute_type type = attribute_type::even_port;
  bool reserve_next = false;

  static base::result<even_port> decode(const attribute& a, const transaction_id&) {
    return detail::expect_length(a, 1, "1").map([&] { return even_port{(a.value[0] & 0x80) != 0}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { out.u8(reserve_next ? 0x80 : 0); }
  friend bool operator==(const even_port&, const even_port&) = default;
};

// §18.8: an IP protocol number (17: UDP, 6: TCP), then 24 reserved bits.
struct requested_transport {
  static constexpr attribute_type type = attribute_type::requested_transport;
  static constexpr std::uint8_t udp = 17, tcp = 6;
  std::uint8_t protocol = udp;

  static base::result<requested_transport> decode(const attribute& a, const transaction_id&) {
    return detail::expect_length(a, 4, "4").map([&] { return requested_transport{a.value[0]}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const {
    out.u8(protocol);
    out.fill(3);
  }
  friend bool operator==(const requested_transport&, const requested_transport&) = default;
};

// §18.10: eight bytes that only the server understands.
struct reservation_token {
  static constexpr attribute_type type = attribute_type::reservation_token;
  std::array<std::uint8_t, 8> token{};

  static base::result<reservation_token> decode(const attribute& a, const transaction_id&) {
    return detail::expect_length(a, 8, "8").map([&] {
      reservation_token t;
      std::copy_n(a.value.begin(), t.token.size(), t.token.begin());
      return t;
    });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(token); }
  friend bool operator==(const reservation_token&, const reservation_token&) = default;
};

// ICMP (§18.13): what the relay heard about a packet to the peer.
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |          Reserved             |  ICMP Type  |    ICMP Code    |   (type: 7 bits, code: 9 bits)
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                          Error Data                           |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct icmp {
  static constexpr attribute_type type = attribute_type::icmp;
  std::uint8_t icmp_type = 0;
  std::uint16_t code = 0;
  std::uint32_t error_data = 0;

  static base::result<icmp> decode(const attribute& a, const transaction_id&) {
    return detail::expect_length(a, 8, "8").map([&] {
      const auto both = wire::u16(a.value, 2);
      return icmp{static_cast<std::uint8_t>(both >> 9), static_cast<std::uint16_t>(both & 0x1ff), wire::u32(a.value, 4)};
    });
  }
  [[nodiscard]] bool sendable() const noexcept { return icmp_type < 128 && code < 512; }
  void encode(base::byte_writer& out, const transaction_id&) const {
    out.u16(0);
    out.u16(static_cast<std::uint16_t>(icmp_type << 9 | code));
    out.u32(error_data);
  }
  friend bool operator==(const icmp&, const icmp&) = default;
};

}  // namespace strata::stun
