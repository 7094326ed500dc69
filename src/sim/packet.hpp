// What travels between simulated hosts: a datagram, or one segment of a TCP connection with just enough header
// to open, carry, close and break it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/error.hpp"
#include "base/time.hpp"

namespace strata::sim {

enum class protocol : std::uint8_t { udp, tcp };

enum class segment_kind : std::uint8_t {
  open,      // SYN
  accepted,  // SYN and ACK
  data,
  end,     // FIN: no more data from this side
  credit,  // the reader took so many bytes
  reset,
};

struct segment {
  segment_kind kind = segment_kind::data;
  std::uint64_t sequence = 0;              // data and end: 0, 1, 2, … in each direction
  std::uint64_t credit = 0;                // bytes
  base::errc reason = base::errc::closed;  // reset: what the other side is told
};

// What becomes of a packet at the host it was for.
enum class delivery : std::uint8_t { taken, inbox_full, nobody_listens };

struct packet {
  sim::protocol protocol = protocol::udp;
  base::endpoint source, destination;
  base::bytes payload;
  sim::segment segment;  // TCP only
  // UDP only: not a datagram, but what the network says of one that went the other way (ICMP).
  std::optional<base::errc> unreachable = std::nullopt;
  bool dont_fragment = false;  // UDP only

  // Bytes of the IP packet. A TCP segment counts as a datagram would.
  [[nodiscard]] std::size_t size() const noexcept { return payload.size() + (destination.address.is_v4() ? 28 : 48); }
};

// What a tap sees.
struct packet_event {
  enum class moment : std::uint8_t { sent, delivered, dropped };
  moment what;
  base::instant time;
  const sim::packet& packet;
  std::string_view reason = {};  // why it was dropped, static text
};

}  // namespace strata::sim
