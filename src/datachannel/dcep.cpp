#include "datachannel/dcep.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/utf8.hpp"

namespace strata::datachannel {
namespace {

constexpr std::uint8_t unordered_bit = 0x80;
constexpr std::size_t fixed_size = 12;

// RFC 8832 §8.2.2: the registry; 0x7f and 0xff are reserved.
bool is_known(std::uint8_t type) { return (type & ~unordered_bit) <= 0x02; }

}  // namespace

base::result<dcep_message> parse_dcep(base::byte_view data) {
  base::byte_reader r(data);
  const auto type = r.u8();
  if (!type) return base::fail(errc::truncated, 0, "a message type");
  switch (static_cast<dcep_type>(*type)) {
    case dcep_type::ack:
      // RFC 8832 §5.2: the type and nothing else. pion sends three more octets, with nothing in them.
      if (std::ranges::any_of(r.rest(), [](std::uint8_t octet) { return octet != 0; }))
        return base::fail(errc::trailing_octets, 1, "an ACK of one octet");
      return ack_message{};
    case dcep_type::open: break;
    default: return base::fail(errc::unknown_message_type, 0, "2 (ACK) or 3 (OPEN)");
  }
  if (data.size() < fixed_size) return base::fail(errc::truncated, data.size(), "the 12 octets of an OPEN");
  const auto channel = *r.u8();
  if (!is_known(channel)) return base::fail(errc::unknown_channel_type, 1, "0x00 to 0x02 or 0x80 to 0x82");
  open_message m;
  m.type = static_cast<channel_type>(channel);
  m.priority = *r.u16();
  m.reliability_parameter = *r.u32();
  const auto label_length = *r.u16();
  const auto protocol_length = *r.u16();
  const auto label = r.take(label_length);
  if (!label) return base::fail(errc::truncated, fixed_size, "a label as long as its length says");
  const auto protocol_at = r.offset();
  const auto protocol = r.take(protocol_length);
  if (!protocol) return base::fail(errc::truncated, protocol_at, "a protocol as long as its length says");
  if (!r.empty()) return base::fail(errc::trailing_octets, r.offset(), "the end");
  if (!base::is_utf8(*label)) return base::fail(errc::not_utf8, fixed_size, "a label in UTF-8");
  if (!base::is_utf8(*protocol)) return base::fail(errc::not_utf8, protocol_at, "a protocol in UTF-8");
  m.label = base::as_text(*label);
  m.protocol = base::as_text(*protocol);
  return m;
}

base::bytes format(const open_message& m) {
  base::bytes out;
  out.reserve(fixed_size + m.label.size() + m.protocol.size());
  base::byte_writer w(out);
  w.u8(static_cast<std::uint8_t>(dcep_type::open));
  w.u8(static_cast<std::uint8_t>(m.type));
  w.u16(m.priority);
  w.u32(m.reliability_parameter);
  w.u16(static_cast<std::uint16_t>(m.label.size()));
  w.u16(static_cast<std::uint16_t>(m.protocol.size()));
  w.write(base::as_bytes(m.label));
  w.write(base::as_bytes(m.protocol));
  return out;
}

base::bytes format(const ack_message&) { return {static_cast<std::uint8_t>(dcep_type::ack)}; }

channel_options options_of(const open_message& m) {
  channel_options o;
  o.label = m.label;
  o.protocol = m.protocol;
  o.priority = static_cast<priority>(m.priority);
  const auto type = static_cast<std::uint8_t>(m.type);
  o.ordered = (type & unordered_bit) == 0;
  const auto limit = static_cast<std::uint16_t>(std::min<std::uint32_t>(m.reliability_parameter, 65535));
  switch (static_cast<channel_type>(type & ~unordered_bit)) {
    case channel_type::partial_rexmit: o.max_retransmits = limit; break;
    case channel_type::partial_timed: o.max_lifetime = limit; break;
    default: break;  // RFC 8832 §5.1: the parameter is ignored
  }
  return o;
}

// exception: 8831-6.4-b usrsctp 0.9.5 has no weighted scheduler; priorities are signaled, streams take turns
open_message open_of(const channel_options& o) {
  open_message m;
  m.label = o.label;
  m.protocol = o.protocol;
  m.priority = static_cast<std::uint16_t>(o.priority);
  auto type = channel_type::reliable;
  if (o.max_retransmits) {
    type = channel_type::partial_rexmit;
    m.reliability_parameter = *o.max_retransmits;
  } else if (o.max_lifetime) {
    type = channel_type::partial_timed;
    m.reliability_parameter = *o.max_lifetime;
  }
  m.type = static_cast<channel_type>(static_cast<std::uint8_t>(type) | (o.ordered ? 0 : unordered_bit));
  return m;
}

}  // namespace strata::datachannel
