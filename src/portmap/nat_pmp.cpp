#include "portmap/nat_pmp.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace strata::portmap::nat_pmp {
namespace {

constexpr std::uint8_t version = 0, op_address = 0, op_map_udp = 1, answer_bit = 0x80;

errc meaning(std::uint16_t result) noexcept {
  switch (result) {
    case 1: return errc::unsupported_version;
    case 2: return errc::not_authorized;
    case 3: return errc::network_failure;
    case 4: return errc::no_resources;
    case 5: return errc::unsupported;
    default: return errc::refused;
  }
}

// The first eight bytes of every answer; the epoch. The reader stands behind them.
base::result<std::uint32_t> read_head(base::byte_reader& r, std::uint8_t op) {
  const auto v = r.u8(), o = r.u8();
  const auto result = r.u16();
  if (!v || !o || !result) return base::fail(errc::malformed, r.offset(), "at least four bytes");
  // A gateway of PCP only says so with its own version in front.
  if (*v != version) return base::fail(errc::unsupported_version, 0, "version 0");
  if (*o != (op | answer_bit)) return base::fail(errc::malformed, 1, "the opcode that was asked for");
  if (*result != 0) return base::fail(meaning(*result), 2);
  const auto epoch = r.u32();
  if (!epoch) return base::fail(errc::malformed, r.offset(), "the epoch");
  return *epoch;
}

}  // namespace

base::bytes address_request() { return {version, op_address}; }

base::bytes map_request(std::uint16_t inside, std::uint16_t suggested, std::uint32_t lifetime) {
  base::bytes out;
  base::byte_writer w(out);
  w.u8(version);
  w.u8(op_map_udp);
  w.u16(0);
  w.u16(inside);
  w.u16(suggested);
  w.u32(lifetime);
  return out;
}

base::result<address_answer> read_address_answer(base::byte_view datagram) {
  base::byte_reader r(datagram);
  const auto epoch = read_head(r, op_address);
  if (!epoch) return base::fail(epoch.error());
  const auto outside = r.u32();
  if (!outside) return base::fail(errc::malformed, r.offset(), "an IPv4 address");
  return address_answer{*epoch, base::ip_address::v4(*outside)};
}

base::result<map_answer> read_map_answer(base::byte_view datagram) {
  base::byte_reader r(datagram);
  const auto epoch = read_head(r, op_map_udp);
  if (!epoch) return base::fail(epoch.error());
  const auto inside = r.u16(), outside = r.u16();
  const auto lifetime = r.u32();
  if (!inside || !outside || !lifetime) return base::fail(errc::malformed, r.offset(), "two ports and a lifetime");
  return map_answer{*epoch, *inside, *outside, *lifetime};
}

bool answers(base::byte_view request, base::byte_view datagram) noexcept {
  if (request.size() < 2 || datagram.size() < 4 || (datagram[1] & answer_bit) == 0) return false;
  return datagram[0] != version || datagram[1] == (request[1] | answer_bit);
}

}  // namespace strata::portmap::nat_pmp
