#include "dtls/record.hpp"

#include "base/byte_writer.hpp"

namespace strata::dtls {

std::optional<record_view> take_record(base::byte_view& datagram) noexcept {
  if (datagram.size() < record_header_size) return std::nullopt;
  base::byte_reader in(datagram);
  const auto type = in.u8();
  const auto version = in.u16();
  const auto epoch = in.u16();
  const auto sequence_high = in.u16();
  const auto sequence_low = in.u32();
  const auto length = in.u16();
  const auto fragment = in.take(*length);
  if (!fragment) return std::nullopt;
  datagram = in.rest();
  return record_view{static_cast<content_type>(*type), *version, *epoch, std::uint64_t{*sequence_high} << 32 | *sequence_low,
                     *fragment};
}

std::optional<handshake_fragment> take_fragment(base::byte_view& content) noexcept {
  if (content.size() < handshake_header_size) return std::nullopt;
  base::byte_reader in(content);
  const auto type = in.u8();
  const auto length = in.u24();
  const auto message_sequence = in.u16();
  const auto offset = in.u24();
  const auto fragment_length = in.u24();
  const auto body = in.take(*fragment_length);
  if (!body || *offset > *length || *fragment_length > *length - *offset) return std::nullopt;
  content = in.rest();
  return handshake_fragment{*type, *length, *message_sequence, *offset, *body};
}

namespace {

std::string_view flaw_in_handshake(base::byte_view content) noexcept {
  if (content.empty()) return "empty handshake record";
  while (!content.empty()) {
    const auto fragment = take_fragment(content);
    if (!fragment) return "malformed handshake fragment";
    if (fragment->length > largest_plaintext - handshake_header_size) return "handshake message too long";
  }
  return {};
}

std::string_view flaw_in_record(const record_view& r) noexcept {
  if (r.epoch != 0) return {};
  const base::byte_view body = r.fragment;
  switch (r.type) {
    case content_type::change_cipher_spec:
      return body.size() == 1 && body[0] == 1 ? std::string_view() : "malformed ChangeCipherSpec";
    case content_type::alert:
      return body.size() == 2 && (body[0] == 1 || body[0] == 2) ? std::string_view() : "malformed alert";
    case content_type::handshake: return flaw_in_handshake(body);
    case content_type::application_data: return "application data in the clear";
  }
  return "unknown content type";
}

}  // namespace

std::string_view flaw_in_the_clear(base::byte_view datagram) noexcept {
  if (datagram.empty()) return "empty datagram";
  while (!datagram.empty()) {
    const auto record = take_record(datagram);
    if (!record) return "incomplete record";
    if (record->version >> 8 != 0xfe) return "not a DTLS version";
    if (const auto flaw = flaw_in_record(*record); !flaw.empty()) return flaw;
  }
  return {};
}

base::bytes write_handshake_record(std::uint16_t version, std::uint64_t sequence, std::uint8_t type,
                                   std::uint16_t message_sequence, base::byte_view message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  base::bytes out;
  out.reserve(record_header_size + handshake_header_size + message.size());
  base::byte_writer w(out);
  w.u8(static_cast<std::uint8_t>(content_type::handshake));
  w.u16(version);
  w.u16(0);
  w.u16(static_cast<std::uint16_t>(sequence >> 32));
  w.u32(static_cast<std::uint32_t>(sequence));
  w.u16(static_cast<std::uint16_t>(handshake_header_size + message.size()));
  w.u8(type);
  w.u24(length);
  w.u16(message_sequence);
  w.u24(0);
  w.u24(length);
  w.write(message);
  return out;
}

}  // namespace strata::dtls
