// What happened, as values. Every layer hands these to one sink; no layer knows what becomes of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace strata::trace {

enum class layer : std::uint8_t {
  net,
  stun,
  turn,
  ice,
  dtls,
  sctp,
  datachannel,
  sdp,
  rtc,
  http,
  signaling,
  registry,
  mesh,
  portmap
};
std::string_view to_string(layer l) noexcept;

enum class direction : std::uint8_t { sent, received };

// A datagram as it was on the wire, seen at the socket.
struct packet {
  direction way = direction::sent;
  base::endpoint local, remote;
  base::byte_view data;  // borrowed for the call
};

// A packet inside the encryption: SCTP as it is before DTLS seals it or after DTLS has opened it.
struct inner_packet {
  direction way = direction::sent;
  base::byte_view data;  // borrowed for the call
};

// What a reader needs to decrypt a DTLS 1.2 session: one line of an NSS key log.
struct dtls_secret {
  std::array<std::uint8_t, 32> client_random{};
  std::array<std::uint8_t, 48> master_secret{};
};

// Every state machine reports every change, with the reason a person can read.
struct state_change {
  layer where;
  std::string_view subject;   // "agent", "pair 3", "association", "channel 1"
  std::string_view from, to;  // the RFC's names
  std::string_view reason;
};

// A phase of setting a connection up: "signaling", "gathering", "checks", "dtls", "sctp", "channel".
struct phase {
  layer where;
  std::string_view name;
  bool begins = true;  // false: it ended
  std::string_view detail;
};

// Input that was not used, and why. Counted, never silent.
struct drop {
  layer where;
  std::string_view reason;
  base::endpoint remote;
  std::size_t size = 0;
};

// Anything else worth a line: a candidate, a pair, a nomination.
struct note {
  layer where;
  std::string_view subject;
  std::string_view text;
};

using event = std::variant<packet, inner_packet, dtls_secret, state_change, phase, drop, note>;

// Text of an event as a person reads it: "ice agent: checking -> connected (pair 3 nominated)".
std::string describe(const event& e);

}  // namespace strata::trace
