#include "stun/attributes/address.hpp"

#include <algorithm>
#include <array>

#include "stun/wire.hpp"

namespace strata::stun::detail {
namespace {

constexpr std::uint8_t family_v4 = 1, family_v6 = 2;
using mask = std::array<std::uint8_t, 16>;

// What RFC 8489 §14.2 combines the address with: the cookie, then the transaction ID.
mask mask_of(const transaction_id& id) noexcept {
  mask m{magic_cookie >> 24 & 0xff, magic_cookie >> 16 & 0xff, magic_cookie >> 8 & 0xff, magic_cookie & 0xff};
  std::copy(id.begin(), id.end(), m.begin() + 4);
  return m;
}

base::result<base::endpoint> decode(const attribute& a, const mask& m) {
  const auto v = a.value;
  const std::size_t at = a.offset + 4;
  if (v.size() < 4) return base::fail(errc::bad_attribute_length, a.offset + 2, "8 or 20");
  // RFC 8489 §14.1: the first byte is there for alignment and has no meaning.
  if (v[1] != family_v4 && v[1] != family_v6) return base::fail(errc::bad_address_family, at + 1, "1 (IPv4) or 2 (IPv6)");
  const std::size_t size = v[1] == family_v4 ? 4 : 16;
  if (v.size() != 4 + size) return base::fail(errc::bad_attribute_length, a.offset + 2, size == 4 ? "8" : "20");
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 0; i < size; ++i) octets[i] = v[4 + i] ^ m[i];
  const auto port = static_cast<std::uint16_t>(wire::u16(v, 2) ^ (m[0] << 8 | m[1]));
  if (size == 4) return base::endpoint{base::ip_address::v4(octets[0], octets[1], octets[2], octets[3]), port};
  return base::endpoint{base::ip_address::v6(octets), port};
}

void encode(base::byte_writer& out, const base::endpoint& e, const mask& m) {
  out.u8(0);
  out.u8(e.address.is_v4() ? family_v4 : family_v6);
  out.u16(static_cast<std::uint16_t>(e.port ^ (m[0] << 8 | m[1])));
  const auto octets = e.address.octets();
  for (std::size_t i = 0; i < octets.size(); ++i) out.u8(octets[i] ^ m[i]);
}

}  // namespace

base::result<base::endpoint> decode_address(const attribute& a) { return decode(a, mask{}); }
base::result<base::endpoint> decode_xor_address(const attribute& a, const transaction_id& id) { return decode(a, mask_of(id)); }
void encode_address(base::byte_writer& out, const base::endpoint& e) { encode(out, e, mask{}); }
void encode_xor_address(base::byte_writer& out, const base::endpoint& e, const transaction_id& id) {
  encode(out, e, mask_of(id));
}

}  // namespace strata::stun::detail
