#include "sctp/packet.hpp"

#include <algorithm>
#include <array>

#include "base/byte_reader.hpp"
#include "base/crc32.hpp"

namespace strata::sctp {

std::uint32_t checksum_of(base::byte_view packet) noexcept {
  static constexpr std::array<std::uint8_t, 4> zero{};
  auto crc = base::crc32c(packet.first(checksum_offset));
  crc = base::crc32c(zero, crc);
  return base::crc32c(packet.subspan(common_header_size), crc);
}

bool checksum_is_right(base::byte_view packet) noexcept {
  if (packet.size() < common_header_size) return false;
  const auto* at = packet.data() + checksum_offset;
  const std::uint32_t given = at[0] | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24;
  return given == checksum_of(packet);
}

void write_checksum(base::byte_span packet) noexcept {
  const auto crc = checksum_of(packet);
  for (std::size_t i = 0; i < 4; ++i) packet[checksum_offset + i] = static_cast<std::uint8_t>(crc >> 8 * i);
}

std::optional<chunk> take_chunk(base::byte_view& chunks) noexcept {
  base::byte_reader r(chunks);
  const auto type = r.u8();
  const auto flags = r.u8();
  const auto length = r.u16();
  if (!length || *length < 4 || *length > chunks.size()) return std::nullopt;
  const chunk c{static_cast<chunk_type>(*type), *flags, chunks.subspan(4, *length - 4u)};
  chunks = chunks.subspan(std::min<std::size_t>(chunks.size(), (*length + 3u) & ~3u));
  return c;
}

std::optional<std::uint32_t> tsn_of(const chunk& c) noexcept {
  if (c.type != chunk_type::data && c.type != chunk_type::i_data) return std::nullopt;
  return base::byte_reader(c.value).u32();
}

std::optional<std::uint32_t> acknowledged_by(const chunk& c) noexcept {
  if (c.type != chunk_type::sack) return std::nullopt;
  return base::byte_reader(c.value).u32();
}

std::optional<std::uint32_t> last_tsn_before_reset(const chunk& c) noexcept {
  if (c.type != chunk_type::reconfig) return std::nullopt;
  constexpr std::uint16_t outgoing_reset_request = 13;
  // type (16), length (16), request number, response number, last TSN (32 each), stream numbers
  base::byte_reader r(c.value);
  while (const auto type = r.u16()) {
    const auto length = r.u16();
    if (!length || *length < 4) return std::nullopt;
    const auto body = r.take(*length - 4u);
    if (!body) return std::nullopt;
    if (*type == outgoing_reset_request && body->size() >= 12) return base::byte_reader(body->subspan(8)).u32();
    r.skip((4 - *length % 4) % 4);
  }
  return std::nullopt;
}

std::string abort_cause(base::byte_view causes) {
  constexpr std::size_t longest = 120;
  base::byte_reader r(causes);
  const auto code = r.u16();
  const auto length = r.u16();
  if (!length) return {};
  auto text = "cause " + std::to_string(*code);
  const auto info = r.take(std::min<std::size_t>({*length < 4 ? 0u : *length - 4u, r.remaining(), longest}));
  if (!info->empty()) text += ": ";
  for (const auto octet : *info) text += octet >= 0x20 && octet < 0x7f ? static_cast<char>(octet) : '.';
  return text;
}

}  // namespace strata::sctp
