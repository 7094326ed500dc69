// What travels between two meshd of ours beside the plain protocol: one frame a message of a channel labelled "strata", or a
// bundle of frames in the payload of a registry task. All numbers are big-endian; a frame ends where its message ends.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |  version = 1  |     kind      |  kind 1: flags | urgency      |
//   +---------------+---------------+-------------------------------+
//
//   kind 1, data: a piece of a message           kind 2, ack: what became of a sender's messages
//     flags 8, urgency 8                           streams 16 (how many follow)
//     message id 128                               sender's epoch 64, receiver's incarnation 64
//     sender's epoch 64                            number 32, window 32
//     stream 32, sequence 64, floor 64             for each stream, ascending:
//     milliseconds left 32 (all ones: no end)        stream 32, from 64, settled 32
//     total 32, offset 32                            ranges 16, fates 16
//     octets of the piece                            ranges: gap 32, length 32
//                                                    fates: distance 32, fate 8, length 8, reason
//   kind 3, cancel: sequences that are void      kind 4, hello: first on every new path, and a request for acks
//     zero 16, sender's epoch 64                   zero 16, epoch of our outbox 64, incarnation of our inbox 64
//     stream 32, floor 64, first 64, count 32      window 32
//
// Sequences count the messages of a stream from 0; below `floor` everything is settled at the sender: the receiver need not
// wait for it and may forget about it. An ack speaks of the sequences from `from` on: the first `settled` of them are settled,
// as delivered unless a fate (its distance counted from `from`) says otherwise; the ranges behind them (each gap counted from
// the end of what was named before) have arrived whole and wait. What arrives in another order than this text says, twice, or
// with anything left over is no frame: there is exactly one way to write each.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace strata::mesh {

enum class frame_errc {
  truncated = 1,
  left_over,
  unknown_version,
  unknown_kind,
  bad_flags,
  bad_piece,     // outside its message, too small to be one, or of a message that is too large
  bad_sequence,  // numbers at or above 2^62
  bad_order,     // lists that are not in the one order
  bad_fate,
  bad_bundle,
};
std::error_code make_error_code(frame_errc e) noexcept;

struct message_id {
  std::array<std::uint8_t, 16> octets{};  // random, by the sender's meshd
  friend auto operator<=>(const message_id&, const message_id&) = default;
};

enum class urgency : std::uint8_t { low, normal, high };

// What became of a message, as its receiver says.
enum class fate : std::uint8_t {
  delivered,
  refused,  // by the receiver's rules or program; there is a reason
  expired,  // its deadline passed before it could be handed over
  unknown,  // the receiver was killed while it handed it over, or does not remember
};
std::string_view to_string(fate f) noexcept;

inline constexpr std::uint32_t largest_delivery = 16u << 20;  // octets of one message
inline constexpr std::uint32_t smallest_piece = 512;          // octets of every piece but a message's last
inline constexpr std::size_t data_header = 60;                // octets before a piece
inline constexpr std::uint32_t no_end = 0xffffffff;           // milliseconds left: for ever
inline constexpr std::uint64_t sequence_limit = std::uint64_t{1} << 62;
inline constexpr std::size_t longest_reason = 120;  // octets of UTF-8

struct data_frame {
  bool durable = false;  // kept on both sides, so that a SIGKILL of either loses and repeats nothing
  bool binary = false;   // the program's own octets; else the JSON text of a `message`
  urgency how = urgency::normal;
  message_id id;
  std::uint64_t epoch = 0;
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0, floor = 0;
  std::uint32_t milliseconds_left = no_end;
  std::uint32_t total = 0, offset = 0;
  base::byte_view piece;  // borrowed
};

struct range {
  std::uint64_t first = 0, count = 0;
  [[nodiscard]] std::uint64_t end() const noexcept { return first + count; }
  friend bool operator==(const range&, const range&) = default;
};

struct other_fate {  // a sequence that was settled otherwise than by delivery
  std::uint64_t sequence = 0;
  fate what = fate::unknown;
  std::string why;
  friend bool operator==(const other_fate&, const other_fate&) = default;
};

struct stream_ack {
  std::uint32_t stream = 0;
  std::uint64_t from = 0, settled = 0;  // settled: the end of what is, at least `from`
  std::vector<range> whole;             // behind `settled` or at it, ascending, not touching each other
  std::vector<other_fate> others;       // in [from, settled), ascending, none of them "delivered"
  friend bool operator==(const stream_ack&, const stream_ack&) = default;
};

struct ack_frame {
  std::uint64_t epoch = 0, incarnation = 0;
  std::uint32_t number = 0;  // grows with every ack of an incarnation: the ranges of an older one are out of date
  std::uint32_t window = 0;  // octets of unsettled messages that the receiver takes
  std::vector<stream_ack> streams;
  friend bool operator==(const ack_frame&, const ack_frame&) = default;
};

struct cancel_frame {
  std::uint64_t epoch = 0;
  std::uint32_t stream = 0;
  std::uint64_t floor = 0;
  range what;
  friend bool operator==(const cancel_frame&, const cancel_frame&) = default;
};

struct hello_frame {
  std::uint64_t epoch = 0, incarnation = 0;
  std::uint32_t window = 0;
  friend bool operator==(const hello_frame&, const hello_frame&) = default;
};

using frame = std::variant<data_frame, ack_frame, cancel_frame, hello_frame>;

// The fields must be as decode() would give them.
[[nodiscard]] base::bytes encode(const frame& f);
// A data frame borrows its piece from `octets`.
[[nodiscard]] base::result<frame> decode(base::byte_view octets);
[[nodiscard]] std::size_t encoded_size(const stream_ack& s) noexcept;  // of its part of an ack
inline constexpr std::size_t ack_header = 28;

// Tier 3: base64 of frames, each with its length in 24 bits before it.
[[nodiscard]] std::string bundle(std::span<const base::bytes> frames);
[[nodiscard]] base::result<std::vector<base::bytes>> unbundle(std::string_view text);

}  // namespace strata::mesh

template <>
struct std::is_error_code_enum<strata::mesh::frame_errc> : std::true_type {};
