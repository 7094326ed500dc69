// The pcapng blocks that a trace is made of (draft-ietf-opsawg-pcapng), as octets. Pure: no file, no clock.
//
//   every block:   | type (32) | total length (32) | body, padded to 32 bits | total length (32) |
//
// Datagrams are wrapped into synthetic IPv4/IPv6 and UDP headers (LINKTYPE_RAW), because that is what a dissector
// needs to know addresses and ports; the headers of the real wire are not visible to a program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trace/event.hpp"

namespace strata::trace {

enum class pcapng_errc { truncated = 1, not_pcapng, bad_length, unsupported };
std::error_code make_error_code(pcapng_errc e) noexcept;

namespace pcapng {

base::bytes section_header(std::string_view application);
// 0: datagrams (LINKTYPE_RAW), 1: SCTP inside DTLS (LINKTYPE_SCTP); nanoseconds
base::bytes interface_descriptions();
base::bytes decryption_secrets(const dtls_secret& s);  // TLS key log inside the file (section 4.7)
// at: nanoseconds since 1970. Comments are what Wireshark shows as packet comments.
base::bytes enhanced_packet(std::uint64_t at, const packet& p, const std::vector<std::string>& comments);

// On interface 1. Dissectors open DTLS with the keys in the file, but do not look for SCTP inside it.
base::bytes enhanced_packet(std::uint64_t at, const inner_packet& p, const std::vector<std::string>& comments);

base::bytes ip_udp(const base::endpoint& from, const base::endpoint& to, base::byte_view payload);

// What reading a file of ours back gives.
struct record {
  std::uint64_t at = 0;  // nanoseconds since 1970
  base::endpoint from, to;
  base::bytes payload;  // of the UDP datagram, or the packet inside
  bool inside = false;  // of the encryption: no endpoints
  std::vector<std::string> comments;
};
struct contents {
  std::vector<record> packets;
  std::size_t secrets = 0;  // decryption secrets blocks
};
base::result<contents> read(base::byte_view file);

}  // namespace pcapng
}  // namespace strata::trace

template <>
struct std::is_error_code_enum<strata::trace::pcapng_errc> : std::true_type {};
