#include "portmap/pcp.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace strata::portmap::pcp {
namespace {

constexpr std::uint8_t version = 2, op_map = 1, answer_bit = 0x80, udp = 17;
constexpr std::size_t header = 24, map_data = 36, largest = 1100;  // §7: no message is larger

errc meaning(std::uint8_t result) noexcept {
  switch (result) {
    case 1: return errc::unsupported_version;
    case 2: return errc::not_authorized;
    case 4:
    case 5:
    case 9: return errc::unsupported;  // opcode, option, protocol
    case 7: return errc::network_failure;
    case 8:
    case 10: return errc::no_resources;  // also: the user's quota
    case 11: return errc::conflict;
    case 12: return errc::address_mismatch;
    default: return errc::refused;
  }
}

// RFC 6887 §5: IPv4 addresses travel as ::ffff:a.b.c.d, "no address" of that family as ::ffff:0.0.0.0.
void write_address(base::byte_writer& w, const base::ip_address& a) {
  if (a.is_v4()) {
    w.fill(10);
    w.fill(2, 0xff);
  }
  w.write(a.octets());
}

base::ip_address to_address(base::byte_view octets) {
  std::array<std::uint8_t, 16> all{};
  std::ranges::copy(octets, all.begin());
  return base::ip_address::v6(all).unmapped();
}

}  // namespace

base::bytes encode(const map_request& r) {
  base::bytes out;
  base::byte_writer w(out);
  w.u8(version);
  w.u8(op_map);
  w.u16(0);
  w.u32(r.lifetime);
  write_address(w, r.inside.address);
  w.write(r.nonce);
  w.u8(udp);
  w.u24(0);
  w.u16(r.inside.port);
  w.u16(r.suggested.port);
  const bool same_family = r.suggested.address.family() == r.inside.address.family();
  write_address(w, same_family ? r.suggested.address : base::ip_address::any(r.inside.address.family()));
  return out;
}

base::result<map_answer> read_map_answer(base::byte_view datagram) {
  if (datagram.size() < 4) return base::fail(errc::malformed, datagram.size(), "at least four bytes");
  // RFC 6887 §9: a gateway of NAT-PMP answers with version 0.
  if (datagram[0] != version) return base::fail(errc::unsupported_version, 0, "version 2");
  if (datagram.size() < header || datagram.size() > largest || datagram.size() % 4 != 0)
    return base::fail(errc::malformed, datagram.size(), "24 to 1100 bytes, a multiple of four");
  if (datagram[1] != (op_map | answer_bit)) return base::fail(errc::malformed, 1, "an answer to MAP");
  if (datagram[3] != 0) return base::fail(meaning(datagram[3]), 3);
  if (datagram.size() < header + map_data) return base::fail(errc::malformed, datagram.size(), "the MAP data");
  map_answer a;
  base::byte_reader r(datagram.subspan(4));
  a.lifetime = *r.u32();
  a.epoch = *r.u32();
  r.skip(12);
  std::ranges::copy(*r.take(12), a.nonce.begin());
  a.protocol = *r.u8();
  r.skip(3);
  a.inside_port = *r.u16();
  a.outside.port = *r.u16();
  a.outside.address = to_address(*r.take(16));
  return a;
}

bool answers(base::byte_view request, base::byte_view datagram) noexcept {
  if (datagram.size() < 4 || (datagram[1] & answer_bit) == 0) return false;
  if (datagram[0] != version) return true;
  if (datagram[1] != (op_map | answer_bit)) return false;
  // RFC 6887 §8.3: an error answer is a copy of the request, cut off at worst.
  if (datagram.size() < header + map_data) return datagram[3] != 0 && datagram.size() >= header;
  // nonce, protocol, inside port
  return std::ranges::equal(request.subspan(header, 13), datagram.subspan(header, 13)) &&
         std::ranges::equal(request.subspan(header + 16, 2), datagram.subspan(header + 16, 2));
}

}  // namespace strata::portmap::pcp
