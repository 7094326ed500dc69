// As much of DNS as it takes to ask the local link for the address of a .local name and to read the answer
// (RFC 1035 §4, RFC 6762). Browsers hide their addresses behind such names (draft-ietf-mmusic-mdns-ice-candidates).
//
//      0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
//     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//     |                      ID                       |   0 in multicast DNS
//     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//     |QR|   Opcode  |AA|TC|RD|RA|   Z    |   RCODE   |
//     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//     |   QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT: 16 bits each
//     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//
// A question is NAME, TYPE, and CLASS, whose top bit asks for a unicast answer (RFC 6762 §5.4). A record is NAME, TYPE,
// CLASS (top bit: cache flush, §10.2), TTL, RDLENGTH, RDATA. A NAME is a row of labels, each with its length in front,
// ended by a zero, or by two bits 11 and the offset where it goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"

namespace strata::ice::mdns {

inline constexpr std::uint16_t port = 5353;
[[nodiscard]] base::ip_address group(base::ip_family f) noexcept;  // 224.0.0.251, ff02::fb

enum class record_type : std::uint16_t { a = 1, aaaa = 28 };

struct question {
  std::string name;  // lower case, without the last dot
  record_type type = record_type::a;
  bool unicast = false;
  friend bool operator==(const question&, const question&) = default;
};
struct answer {
  std::string name;
  base::ip_address address;
  std::uint32_t ttl = 120;
  friend bool operator==(const answer&, const answer&) = default;
};

struct message {
  bool response = false;
  std::vector<question> questions{};  // of the types above; others are passed over
  std::vector<answer> answers{};      // from all three sections
  friend bool operator==(const message&, const message&) = default;
};

// Names that are longer than DNS allows, or whose labels are, are left out.
[[nodiscard]] base::bytes encode(const message& m);
[[nodiscard]] base::result<message> decode(base::byte_view datagram);

// Both addresses of a name in one question message.
[[nodiscard]] message ask(std::string_view name, bool unicast);

}  // namespace strata::ice::mdns
