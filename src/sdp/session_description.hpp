// A session description as lines (RFC 8866 §5), whatever it describes.
//
//   v=0                                       protocol version
//   o=- 4611731400430051336 2 IN IP4 0.0.0.0  origin
//   s=-                                       session name
//   c=, b=, t=0 0                             connection, bandwidth, times
//   a=group:BUNDLE 0                          session attributes
//   m=application 9 UDP/DTLS/SCTP webrtc-datachannel
//   c=IN IP4 0.0.0.0
//   a=mid:0                                   media attributes
//
// Error offsets are octets into the text; line_of() turns one into a line number and explain() into a sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sdp/error.hpp"

namespace strata::sdp {

inline constexpr std::size_t largest_description = 256 * 1024;

struct attribute {
  std::string name, value;
  bool has_value = false;  // "a=name:" has an empty one, "a=name" none
  std::size_t offset = 0;  // of the line in the text it was read from

  attribute() = default;
  explicit attribute(std::string_view n) : name(n) {}
  attribute(std::string_view n, std::string_view v) : name(n), value(v), has_value(true) {}
  friend bool operator==(const attribute& a, const attribute& b) noexcept {
    return a.name == b.name && a.value == b.value && a.has_value == b.has_value;
  }
};

class attributes {
 public:
  void add(std::string_view name) { list_.emplace_back(name); }
  void add(std::string_view name, std::string_view value) { list_.emplace_back(name, value); }
  void add(attribute a) { list_.push_back(std::move(a)); }
  [[nodiscard]] const attribute* find(std::string_view name) const noexcept;  // the first of that name; case counts
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] auto begin() const noexcept { return list_.begin(); }
  [[nodiscard]] auto end() const noexcept { return list_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  friend bool operator==(const attributes&, const attributes&) = default;

 private:
  std::vector<attribute> list_;
};

// RFC 8866 §5.7, "IN IP4 0.0.0.0". A multicast address keeps its "/ttl" and "/count".
struct connection {
  std::string network_type = "IN", address_type = "IP4", address = "0.0.0.0";
  friend bool operator==(const connection&, const connection&) = default;
};

// RFC 8866 §5.2. The numbers are text: they may be longer than any integer.
struct origin {
  std::string username = "-", session_id = "0", session_version = "0";
  std::string network_type = "IN", address_type = "IP4", address = "0.0.0.0";
  friend bool operator==(const origin&, const origin&) = default;
};

struct media_description {
  std::string media;       // "application"
  std::uint16_t port = 0;  // 0: the section is rejected, or not used any more
  std::optional<std::uint32_t> port_count;
  std::string protocol;              // "UDP/DTLS/SCTP"
  std::vector<std::string> formats;  // at least one
  std::vector<sdp::connection> connections;
  sdp::attributes attributes;
  std::size_t offset = 0;

  friend bool operator==(const media_description& a, const media_description& b) noexcept {
    return a.media == b.media && a.port == b.port && a.port_count == b.port_count && a.protocol == b.protocol &&
           a.formats == b.formats && a.connections == b.connections && a.attributes == b.attributes;
  }
};

struct session_description {
  sdp::origin origin;
  std::string session_name = "-";
  std::optional<sdp::connection> connection;
  std::vector<std::string> times = {"0 0"};
  sdp::attributes attributes;
  std::vector<media_description> media;

  friend bool operator==(const session_description&, const session_description&) = default;
};

// Strict in grammar and order; lines may end with CRLF or LF (RFC 8866 §5), the last one with nothing. The lines i, u, e,
// p, b, r, z and k are checked and left out (RFC 8829 §5.8.1). Total: any input, bounded time and memory.
[[nodiscard]] base::result<session_description> parse(std::string_view text);

// Lines end with CRLF. What was parsed formats to text that parses to the same value.
[[nodiscard]] std::string format(const session_description& d);

[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset) noexcept;  // 1 is the first
// "sdp: a media line is malformed, line 7 (byte 143): expected a port from 0 to 65535"
[[nodiscard]] std::string explain(const base::error& e, std::string_view text);

}  // namespace strata::sdp
