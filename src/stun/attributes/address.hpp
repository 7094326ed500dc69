// Attributes that carry a transport address.
//
//  MAPPED-ADDRESS (RFC 8489 §14.1), ALTERNATE-SERVER (§14.15), RESPONSE-ORIGIN and OTHER-ADDRESS (RFC 5780 §7.3, §7.4)
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |0 0 0 0 0 0 0 0| Family 1 or 2 |             Port              |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                 Address (32 bits or 128 bits)                 |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//  XOR-MAPPED-ADDRESS (RFC 8489 §14.2), XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS (RFC 8656 §18.3, §18.5): the same, with the
//  port combined with the upper half of the cookie, and the address with the cookie and the transaction ID. Home routers that
//  rewrite every four bytes equal to a private address made this necessary.
#pragma once

#include "base/byte_writer.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

namespace detail {
base::result<base::endpoint> decode_address(const attribute& a);
base::result<base::endpoint> decode_xor_address(const attribute& a, const transaction_id& id);
void encode_address(base::byte_writer& out, const base::endpoint& e);
void encode_xor_address(base::byte_writer& out, const base::endpoint& e, const transaction_id& id);
}  // namespace detail

template <attribute_type Type>
struct plain_address {
  static constexpr attribute_type type = Type;
  base::endpoint endpoint;

  static base::result<plain_address> decode(const attribute& a, const transaction_id&) {
    return detail::decode_address(a).map([](base::endpoint e) { return plain_address{e}; });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { detail::encode_address(out, endpoint); }
  friend bool operator==(const plain_address&, const plain_address&) = default;
};

template <attribute_type Type>
struct xor_address {
  static constexpr attribute_type type = Type;
  base::endpoint endpoint;

  static base::result<xor_address> decode(const attribute& a, const transaction_id& id) {
    return detail::decode_xor_address(a, id).map([](base::endpoint e) { return xor_address{e}; });
  }
  void encode(base::byte_writer& out, const transaction_id& id) const { detail::encode_xor_address(out, endpoint, id); }
  friend bool operator==(const xor_address&, const xor_address&) = default;
};

using mapped_address = plain_address<attribute_type::mapped_address>;
using alternate_server = plain_address<attribute_type::alternate_server>;
using response_origin = plain_address<attribute_type::response_origin>;
using other_address = plain_address<attribute_type::other_address>;
using xor_mapped_address = xor_address<attribute_type::xor_mapped_address>;
using xor_peer_address = xor_address<attribute_type::xor_peer_address>;
using xor_relayed_address = xor_address<attribute_type::xor_relayed_address>;

}  // namespace strata::stun
