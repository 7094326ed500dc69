// What can be read of a DTLS 1.2 datagram without keys: record headers and, in the clear, handshake headers.
//
//   record (RFC 6347 §4.1)
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+-------------------------------+---------------+
//   | content type  |        protocol version       |    epoch ...  |
//   +---------------+-------------------------------+---------------+
//   |  ... epoch    |             sequence number (48 bits) ...     |
//   +---------------+-----------------------------------------------+
//   |    ... sequence number                        |   length ...  |
//   +---------------+-------------------------------+---------------+
//   |  ... length   |  fragment: `length` octets, at most 2^14 + 2048
//   +---------------+
//
//   handshake message or a fragment of one (RFC 6347 §4.2.2)
//   +---------------+-----------------------------------------------+
//   | message type  |              length of the message            |
//   +---------------+---------------+-------------------------------+
//   |       message sequence        |        fragment offset ...    |
//   +---------------+---------------+-------------------------------+
//   | ... offset    |              fragment length                  |
//   +---------------+-----------------------------------------------+
//   |  the fragment's octets
//   +---------------
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_reader.hpp"
#include "base/bytes.hpp"

namespace strata::dtls {

enum class content_type : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23 };

inline constexpr std::size_t record_header_size = 13;
inline constexpr std::size_t handshake_header_size = 12;
inline constexpr std::size_t largest_plaintext = 16384;  // RFC 5246 §6.2.1
inline constexpr std::uint8_t client_hello_type = 1;

struct record_view {
  content_type type{};
  std::uint16_t version = 0;  // 0xfefd is DTLS 1.2; a ClientHello may say 0xfeff in its record
  std::uint16_t epoch = 0;
  std::uint64_t sequence = 0;
  base::byte_view fragment;  // borrowed; ciphertext from epoch 1 on
};

// Takes the first record off `datagram`. Nothing when what is left is no whole record.
[[nodiscard]] std::optional<record_view> take_record(base::byte_view& datagram) noexcept;

struct handshake_fragment {
  std::uint8_t type = 0;
  std::uint32_t length = 0;  // of the whole message
  std::uint16_t message_sequence = 0;
  std::uint32_t offset = 0;
  base::byte_view body;  // borrowed

  [[nodiscard]] bool whole() const noexcept { return offset == 0 && body.size() == length; }
};

// Takes the first fragment off the content of a handshake record of epoch 0. Nothing when the content is cut short or
// the fragment reaches beyond its message.
[[nodiscard]] std::optional<handshake_fragment> take_fragment(base::byte_view& content) noexcept;

// Why a datagram must not reach the handshake, or nothing. mbedTLS 2.28 takes any badly formed message in the clear for
// the end of the handshake; RFC 6347 §4.1.2.7 wants such a record dropped in silence, since anybody can have sent it.
// What is encrypted is left to the decryption.
[[nodiscard]] std::string_view flaw_in_the_clear(base::byte_view datagram) noexcept;

// One record of epoch 0 that holds one whole handshake message.
[[nodiscard]] base::bytes write_handshake_record(std::uint16_t version, std::uint64_t sequence, std::uint8_t type,
                                                 std::uint16_t message_sequence, base::byte_view message);

}  // namespace strata::dtls
