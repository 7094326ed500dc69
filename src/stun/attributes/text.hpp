// Attributes whose value is text or opaque bytes: the attribute's length is the text's length (RFC 8489 §14.3, §14.9, §14.10,
// §14.14, §14.16; RFC 8656 §18.4; RFC 8016 §3). The values borrow from the message.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/byte_writer.hpp"
#include "base/result.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

// RFC 8489 counts REALM, NONCE, SOFTWARE and reasons in characters (at most 127), which are at most 763 bytes in the encodings
// that were once allowed: what is received is measured by that, what is sent by characters.
inline constexpr std::size_t largest_received_text = 763;

// Unicode characters in UTF-8 text (bytes that are no continuation).
[[nodiscard]] constexpr std::size_t count_characters(std::string_view text) noexcept {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

template <attribute_type Type, std::size_t MaxBytes, std::size_t MaxCharacters>
struct text_attribute {
  static constexpr attribute_type type = Type;
  std::string_view text;

  static base::result<text_attribute> decode(const attribute& a, const transaction_id&) {
    if (a.value.size() > largest_received_text) return base::fail(errc::bad_attribute_length, a.offset + 2, "at most 763");
    return text_attribute{base::as_text(a.value)};
  }
  [[nodiscard]] bool sendable() const noexcept { return text.size() <= MaxBytes && count_characters(text) <= MaxCharacters; }
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(base::as_bytes(text)); }
  friend bool operator==(const text_attribute&, const text_attribute&) = default;
};

using username = text_attribute<attribute_type::username, 508, 508>;                  // RFC 8489 §14.3: under 509 bytes
using realm = text_attribute<attribute_type::realm, 763, 127>;                        // §14.9: under 128 characters
using nonce = text_attribute<attribute_type::nonce, 763, 127>;                        // §14.10
using software = text_attribute<attribute_type::software, 763, 127>;                  // §14.14
using alternate_domain = text_attribute<attribute_type::alternate_domain, 255, 255>;  // §14.16: a DNS name

template <attribute_type Type, std::size_t MaxBytes>
struct opaque_attribute {
  static constexpr attribute_type type = Type;
  base::byte_view bytes;

  static base::result<opaque_attribute> decode(const attribute& a, const transaction_id&) { return opaque_attribute{a.value}; }
  [[nodiscard]] bool sendable() const noexcept { return bytes.size() <= MaxBytes; }
  void encode(base::byte_writer& out, const transaction_id&) const { out.write(bytes); }
};

using data = opaque_attribute<attribute_type::data, 65535>;                        // RFC 8656 §18.4: application data
using mobility_ticket = opaque_attribute<attribute_type::mobility_ticket, 65535>;  // RFC 8016 §3
using goog_network_info = opaque_attribute<attribute_type::goog_network_info, 4>;  // network id and cost, 16 bits each
// RFC 5780 §7.6: any bytes; the IP datagram has to stay within 64 KiB with the headers around it.
using padding = opaque_attribute<attribute_type::padding, 65535 - 60 - 8 - header_size - 4 - 3>;

}  // namespace strata::stun
