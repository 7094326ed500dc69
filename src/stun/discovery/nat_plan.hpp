// What to ask whom, in three rounds, each planned from what the rounds before have shown (RFC 5780 §4.3–4.5). Running a plan
// is discover.hpp, judging the observations nat_judge.hpp.
//
//   round 1   every server over UDP from socket 0: does UDP get through, who has another address        mapping test I
//   round 2   nobody answered: every server over TCP.
//             else, with RFC 5780: mapping tests II and III from socket 0, filtering tests II and III from socket 1, which
//             sends to nobody but the primary address; from sockets 2 … 5 one request each: which ports do they get
//   round 3   behind a NAT: sockets 2 and 3 ask each other by their outside addresses                   hairpin test
//
// Two departures from the figures of the RFC, which go one test at a time: the tests of a round run beside each other, since no
// test changes what another one sees; and hairpinning is tried between two sockets, both of which have then sent to the other,
// so that a NAT which filters strictly is not taken for one that does not hairpin.
// exception: 5780-5-d no test sends PADDING: whether fragments pass is of no use to what follows, which never sends any
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace strata::stun {

enum class probe_kind : std::uint8_t { mapping_1, mapping_2, mapping_3, filtering_2, filtering_3, ports, hairpin, tcp };
std::string_view to_string(probe_kind k) noexcept;

struct probe {
  probe_kind kind{};
  unsigned socket = 0;  // probes of one number and family share a socket
  base::endpoint to;
  bool change_ip = false, change_port = false;  // CHANGE-REQUEST
  friend bool operator==(const probe&, const probe&) = default;
};

enum class probe_result : std::uint8_t { answered, silent, refused, failed };

struct observation {
  probe asked;
  probe_result result = probe_result::silent;
  base::endpoint local;   // of the socket; the address may be unspecified
  base::endpoint mapped;  // XOR-MAPPED-ADDRESS, the following as they were in the answer
  std::optional<base::endpoint> plain_mapped, other;
  std::optional<base::duration> rtt;  // when it is unambiguous
  std::string trouble;                // refused or failed: why
};

constexpr unsigned port_sockets = 4, first_port_socket = 2;

// `servers` without doubles, in the order of preference.
[[nodiscard]] std::vector<probe> plan_first(const std::vector<base::endpoint>& servers);
[[nodiscard]] std::vector<probe> plan_second(const std::vector<observation>& seen);
// `own`: the addresses of this machine.
[[nodiscard]] std::vector<probe> plan_third(const std::vector<observation>& seen, const std::vector<base::ip_address>& own);

// The answer that the others are compared with: IPv4 before IPv6, servers of RFC 5780 before others, as listed.
[[nodiscard]] const observation* main_answer(const std::vector<observation>& seen);
// RFC 5780 §7.4, believed only when it names another address and another port of the same family, and no private address of
// a server that is not at one: a server behind a NAT of its own gives what nobody can reach.
[[nodiscard]] bool has_other_address(const observation& o) noexcept;
[[nodiscard]] bool is_untranslated(const observation& o, const std::vector<base::ip_address>& own) noexcept;

}  // namespace strata::stun
