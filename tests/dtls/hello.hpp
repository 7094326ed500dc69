// Hellos as other people's stacks write them, and knives to cut them with.
#pragma once

#include <vector>

#include "base/byte_writer.hpp"
#include "base/bytes.hpp"
#include "dtls/record.hpp"

namespace strata::test {

// One record with one fragment of a ClientHello.
inline base::bytes hello_fragment(base::byte_view hello, std::size_t from, std::size_t size, std::uint64_t record_sequence,
                                  std::uint16_t message_sequence = 0) {
  base::bytes out;
  base::byte_writer w(out);
  w.u8(22);
  w.u16(0xfeff);
  w.u16(0);
  w.u16(0);
  w.u32(static_cast<std::uint32_t>(record_sequence));
  w.u16(static_cast<std::uint16_t>(12 + size));
  w.u8(1);
  w.u24(static_cast<std::uint32_t>(hello.size()));
  w.u16(message_sequence);
  w.u24(static_cast<std::uint32_t>(from));
  w.u24(static_cast<std::uint32_t>(size));
  w.write(hello.subspan(from, size));
  return out;
}

// The body of the hello in a record that holds it whole.
inline base::bytes hello_body(base::byte_view datagram) {
  const auto record = dtls::take_record(datagram);
  base::byte_view content = record->fragment;
  return base::to_bytes(dtls::take_fragment(content)->body);
}

inline base::bytes joined(base::byte_view a, base::byte_view b) {
  base::bytes out = base::to_bytes(a);
  base::append(out, b);
  return out;
}

// What Chromium 156 sends: 1413 bytes with a key share of X25519MLKEM768, DTLS 1.3 and 1.2 offered, use_srtp.
inline base::bytes chromium_hello() {
  base::bytes extensions;
  base::byte_writer e(extensions);
  const auto extension = [&e](std::uint16_t type, const base::bytes& body) {
    e.u16(type);
    e.u16(static_cast<std::uint16_t>(body.size()));
    e.write(body);
  };
  extension(0xff01, {0x00});                                                        // renegotiation_info
  extension(0x0017, {});                                                            // extended_master_secret
  extension(0x000a, {0x00, 0x08, 0x11, 0xec, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18});  // supported_groups
  extension(0x000b, {0x01, 0x00});                                                  // ec_point_formats
  extension(0x000d, {0x00, 0x10, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06,
                     0x01});                                                  // signature_algorithms
  extension(0x000e, {0x00, 0x06, 0x00, 0x01, 0x00, 0x08, 0x00, 0x07, 0x00});  // use_srtp
  extension(0x002b, {0x04, 0xfe, 0xfc, 0xfe, 0xfd});                          // supported_versions
  base::bytes shares;
  base::byte_writer s(shares);
  s.u16(2 + 2 + 1216 + 2 + 2 + 32);
  s.u16(0x11ec);
  s.u16(1216);
  s.fill(1216, 0x5a);
  s.u16(0x001d);
  s.u16(32);
  s.fill(32, 0x09);
  extension(0x0033, shares);  // key_share

  base::bytes hello;
  base::byte_writer w(hello);
  w.u16(0xfefd);
  w.fill(32, 0x42);
  w.u8(0);  // session id
  w.u8(0);  // cookie
  const std::uint16_t suites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xcca9, 0xcca8,
                                  0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x002f, 0x0035};
  w.u16(sizeof suites);
  for (std::uint16_t suite : suites) w.u16(suite);
  w.u8(1);
  w.u8(0);  // null compression
  // What is left to 1413 bytes stands for extensions that a DTLS 1.2 server does not know.
  const std::size_t left = 1413 - hello.size() - 2 - extensions.size();
  extension(0xfe0d, base::bytes(left - 4, 0));
  w.u16(static_cast<std::uint16_t>(extensions.size()));
  w.write(extensions);
  return hello;
}

}  // namespace strata::test
