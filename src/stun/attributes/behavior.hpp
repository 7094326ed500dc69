// Attributes of NAT behaviour discovery, RFC 5780 §7 (its addresses are in address.hpp, PADDING in text.hpp).
//
//  CHANGE-REQUEST (§7.2)
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 A B 0|   A: change IP, B: change port
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include "stun/attributes/numbers.hpp"

namespace strata::stun {

struct change_request {
  static constexpr attribute_type type = attribute_type::change_request;
  bool change_ip = false, change_port = false;

  static base::result<change_request> decode(const attribute& a, const transaction_id&) {
    return detail::expect_length(a, 4, "4").map([&] {
      const auto bits = wire::u32(a.value, 0);
      return change_request{(bits & 4) != 0, (bits & 2) != 0};
    });
  }
  void encode(base::byte_writer& out, const transaction_id&) const { out.u32((change_ip ? 4u : 0u) | (change_port ? 2u : 0u)); }
  friend bool operator==(const change_request&, const change_request&) = default;
};

using response_port = detail::number16<attribute_type::response_port>;  // §7.5: answer to this port

}  // namespace strata::stun
