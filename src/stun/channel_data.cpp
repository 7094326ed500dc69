#include "stun/channel_data.hpp"

#include "base/byte_writer.hpp"
#include "stun/wire.hpp"

namespace strata::stun {

base::result<channel_data> channel_data::parse(base::byte_view d) {
  if (d.size() < channel_header_size) return base::fail(errc::too_short, d.size(), "a 4-byte header");
  const auto number = wire::u16(d, 0);
  // RFC 8656 §12: 0x5000 and above are reserved, and messages with such numbers are dropped.
  if (number < first_channel || number > last_channel)
    return base::fail(errc::bad_value, 0, "a channel number from 0x4000 to 0x4FFF");
  const std::size_t length = wire::u16(d, 2), have = d.size() - channel_header_size;
  if (length > have) return base::fail(errc::length_mismatch, 2, "no more than the bytes after the header");
  if (have > wire::padded(length)) return base::fail(errc::length_mismatch, 2, "nothing after the padding");
  return channel_data{number, d.subspan(channel_header_size, length)};
}

bool write_channel_data(base::bytes& out, std::uint16_t channel, base::byte_view data, bool over_stream) {
  if (channel < first_channel || channel > last_channel || data.size() > 0xffff) return false;
  base::byte_writer w(out);
  w.u16(channel);
  w.u16(static_cast<std::uint16_t>(data.size()));
  w.write(data);
  if (over_stream) w.fill(wire::padded(data.size()) - data.size());  // RFC 8656 §12.5
  return true;
}

}  // namespace strata::stun
