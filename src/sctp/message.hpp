// A user message of SCTP: where it goes, what it is, how long it is tried.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace strata::sctp {

using stream_id = base::strong<struct stream_id_tag, std::uint16_t>;
using ppid = base::strong<struct ppid_tag, std::uint32_t>;  // payload protocol identifier (RFC 9260 §3.3.1)

// RFC 3758; the policies of RFC 7496 §3.
struct reliability {
  enum class policy : std::uint8_t { reliable, max_retransmits, max_lifetime };
  policy kind = policy::reliable;
  std::uint32_t value = 0;  // retransmissions, or milliseconds

  static constexpr reliability reliable() { return {}; }
  static constexpr reliability max_retransmits(std::uint32_t n) { return {policy::max_retransmits, n}; }
  static constexpr reliability max_lifetime(std::uint32_t ms) { return {policy::max_lifetime, ms}; }
  friend bool operator==(const reliability&, const reliability&) = default;
};

struct message_out {
  stream_id stream;
  ppid protocol;
  base::byte_view data;  // at least one octet; borrowed until the send has returned
  bool ordered = true;
  sctp::reliability reliability = {};
};

struct message_in {
  stream_id stream;
  ppid protocol;
  base::bytes data;
  bool ordered = true;
};

}  // namespace strata::sctp
