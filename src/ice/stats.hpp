// What can be known about an agent from outside: plain answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "ice/candidate.hpp"
#include "ice/pair.hpp"
#include "ice/path_quality.hpp"

namespace strata::ice {

struct selected_pair {
  candidate local, remote;
  std::optional<base::duration> rtt;  // last measured by a check or by consent
  bool nominated = false;
  std::string_view nominated_by;  // "us", "the peer", or empty
  path_report path{};
};

// Every number is a total since the agent was made.
struct counters {
  std::uint64_t checks_sent = 0;  // first transmissions
  std::uint64_t retransmissions = 0;
  std::uint64_t checks_succeeded = 0, checks_failed = 0;
  std::uint64_t consent_sent = 0, consent_received = 0;  // requests, answers
  std::uint64_t requests_answered = 0;                   // the peer's, with success
  std::uint64_t requests_refused = 0;                    // with an error response
  std::uint64_t requests_replayed = 0;                   // seen before, from somewhere else; not answered
  std::uint64_t role_conflicts = 0;
  std::uint64_t nominations = 0;  // ours or the peer's, that chose a pair
  std::uint64_t probes = 0;       // checks of pairs that do not carry data, to know what to change to
  std::uint64_t datagrams_sent = 0, datagrams_received = 0, bytes_sent = 0, bytes_received = 0;  // data only

  // Drops: what came in and was not used.
  std::uint64_t dropped_malformed = 0;        // claims to be STUN and is not
  std::uint64_t dropped_unauthenticated = 0;  // a response without valid MESSAGE-INTEGRITY
  std::uint64_t dropped_unexpected = 0;       // a response nobody waits for, a class or method not used here
  std::uint64_t dropped_unknown_source = 0;   // data from an address that no validated pair has
  std::uint64_t dropped_candidates = 0;       // remote candidates that were not usable
  std::uint64_t dropped_unsent = 0;           // send() said false
};

// When each step was done, on the host's clock.
struct phase_times {
  std::optional<base::instant> gathering_began, gathering_ended;
  std::optional<base::instant> checks_began, connected, completed;
};

// For tables and for explaining why a connection failed.
struct pair_report {
  candidate local, remote;
  pair_state state = pair_state::frozen;
  std::uint64_t priority = 0;
  bool valid = false, nominated = false;
  std::uint32_t checks = 0;  // transactions begun
  std::optional<base::duration> rtt;
  path_report path{};   // while it is valid
  std::string outcome;  // of the last check: "succeeded", "no answer", "error 401", …
};

}  // namespace strata::ice
