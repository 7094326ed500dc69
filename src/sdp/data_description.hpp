// What a session description says about data channels: the subset of JSEP (RFC 8829) that a data-only peer lives by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/fingerprint.hpp"
#include "sdp/session_description.hpp"

namespace strata::sdp {

enum class setup_role : std::uint8_t { actpass, active, passive };  // RFC 4145 §4; holdconn is not for DTLS (RFC 8842 §5.1)
[[nodiscard]] std::string_view to_string(setup_role s) noexcept;

// RFC 8841 §6.1
inline constexpr std::uint64_t default_max_message_size = 65536;  // when the attribute is absent; 0 means any size

// A section that is not ours: audio, video, a second data section. An answer has to mention it, rejected.
struct other_section {
  std::string media, protocol;
  std::vector<std::string> formats;
  std::string mid;  // empty: it had none
  bool rejected = false;

  friend bool operator==(const other_section&, const other_section&) = default;
};

struct data_description {
  std::uint64_t session_id = 0;  // below 2^63 (RFC 8829 §5.2.1)
  std::uint64_t session_version = 1;

  std::string ice_ufrag, ice_pwd;
  bool ice_lite = false;
  bool trickle = true;  // ice-options
  bool ice2 = true;
  std::vector<std::string> ice_options;  // the others
  std::optional<std::uint32_t> ice_pacing_ms;
  std::vector<std::string> candidates;  // "candidate:…", not yet judged: bad ones cost only themselves (RFC 8839 §5.1)
  bool end_of_candidates = false;

  std::vector<crypto::fingerprint> fingerprints;  // as they stand there; unknown hash functions are left out
  setup_role setup = setup_role::actpass;
  std::string tls_id;  // empty: none

  std::string mid = "0";                                      // empty: the peer named none
  bool bundled = true;                                        // mid is in a BUNDLE group
  std::uint16_t sctp_port = 5000;                             // 0: no association (RFC 8841 §10.3)
  std::uint64_t max_message_size = default_max_message_size;  // 0: any
  std::string sctp_init;                                      // a=sctp-init, kept as text
  bool legacy_sctpmap = false;                                // "DTLS/SCTP 5000" with a=sctpmap, from before RFC 8841
  std::string protocol = "UDP/DTLS/SCTP";
  bool rejected = false;  // port 0

  std::size_t index = 0;              // of the data section among all sections
  std::vector<other_section> others;  // the rest, in order

  // Where media would go without ICE (RFC 8829 §5.2.1): 9 and 0.0.0.0 until there is a candidate.
  std::uint16_t default_port = 9;
  sdp::connection default_connection;

  friend bool operator==(const data_description&, const data_description&) = default;
};

// Errors carry the offset of the line. The first usable data section counts; without a usable one the description is
// read as rejected when a data section has port 0, and is an error otherwise.
[[nodiscard]] base::result<data_description> read(const session_description& d);
[[nodiscard]] session_description write(const data_description& d);

// Both steps at once.
[[nodiscard]] base::result<data_description> parse_data_description(std::string_view text);
[[nodiscard]] std::string format_data_description(const data_description& d);

}  // namespace strata::sdp
