#include "http/websocket_frame.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/utf8.hpp"

namespace strata::http {

using base::fail;

base::result<std::optional<parsed_header>> parse_frame_header(base::byte_view data) {
  base::byte_reader in(data);
  const auto first = in.u8();
  if (!first) return std::optional<parsed_header>();
  parsed_header p;
  p.header.fin = (*first & 0x80) != 0;
  // RFC 6455 §5.2: no extension is ever negotiated here, so the reserved bits are zero.
  if ((*first & 0x70) != 0) return fail(errc::protocol_violation, 0, "reserved bits of zero");
  const auto op = static_cast<std::uint8_t>(*first & 0x0f);
  if ((op > 2 && op < 8) || op > 10) return fail(errc::protocol_violation, 0, "a known opcode");
  p.header.op = static_cast<opcode>(op);
  // RFC 6455 §5.4
  if (is_control(p.header.op) && !p.header.fin) return fail(errc::protocol_violation, 0, "control frames in one piece");

  const auto second = in.u8();
  if (!second) return std::optional<parsed_header>();
  p.header.length = *second & 0x7fu;
  if (is_control(p.header.op) && p.header.length > longest_control_payload)
    return fail(errc::protocol_violation, 1, "at most 125 octets in a control frame");
  // RFC 6455 §5.2: the shortest form of the length, and no top bit in the longest.
  if (p.header.length == 126) {
    const auto length = in.u16();
    if (!length) return std::optional<parsed_header>();
    if (*length < 126) return fail(errc::protocol_violation, 2, "a length in its shortest form");
    p.header.length = *length;
  } else if (p.header.length == 127) {
    const auto length = in.u64();
    if (!length) return std::optional<parsed_header>();
    if (*length >> 63 != 0) return fail(errc::protocol_violation, 2, "a length below 2^63");
    if (*length <= 0xffff) return fail(errc::protocol_violation, 2, "a length in its shortest form");
    p.header.length = *length;
  }
  if ((*second & 0x80) != 0) {
    const auto key = in.take(4);
    if (!key) return std::optional<parsed_header>();
    std::copy_n(key->begin(), 4, p.header.mask.emplace().begin());
  }
  p.size = in.offset();
  return p;
}

void write_frame_header(base::bytes& out, const frame_header& h) {
  base::byte_writer w(out);
  w.u8(static_cast<std::uint8_t>((h.fin ? 0x80 : 0) | static_cast<std::uint8_t>(h.op)));
  const std::uint8_t masked = h.mask ? 0x80 : 0;
  if (h.length < 126) {
    w.u8(static_cast<std::uint8_t>(masked | h.length));
  } else if (h.length <= 0xffff) {
    w.u8(masked | 126);
    w.u16(static_cast<std::uint16_t>(h.length));
  } else {
    w.u8(masked | 127);
    w.u64(h.length);
  }
  if (h.mask) w.write(*h.mask);
}

void apply_mask(base::byte_span data, const masking_key& key, std::size_t offset) noexcept {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] ^= key[(i + offset) & 3];
}

base::bytes make_frame(opcode op, base::byte_view payload, const std::optional<masking_key>& mask) {
  base::bytes out;
  out.reserve(longest_frame_header + payload.size());
  write_frame_header(out, {true, op, payload.size(), mask});
  const auto at = out.size();
  base::append(out, payload);
  if (mask) apply_mask(base::byte_span(out).subspan(at), *mask);
  return out;
}

base::result<close_body> parse_close(base::byte_view payload) {
  if (payload.empty()) return close_body();
  base::byte_reader in(payload);
  const auto code = in.u16();
  if (!code) return fail(errc::protocol_violation, 0, "no body or a two-octet code");
  if (!is_sendable(*code)) return fail(errc::protocol_violation, 0, "a close code that may be sent");
  if (!base::is_utf8(in.rest())) return fail(errc::protocol_violation, 2, "UTF-8");
  return close_body{*code, base::as_text(in.rest())};
}

base::bytes make_close_body(std::uint16_t code, std::string_view reason) {
  base::bytes out;
  base::byte_writer w(out);
  w.u16(code);
  auto size = std::min(reason.size(), longest_control_payload - 2);
  while (size != reason.size() && size != 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  w.write(base::as_bytes(reason.substr(0, size)));
  return out;
}

}  // namespace strata::http
