// The parts of one agent, which its procedures share: each file below works on this, and nothing else does.
//
//   gather*.cpp       §5.1    our candidates                   answer_check.cpp  §7.3    the peer's checks
//   trickle.cpp       8838    candidates of both sides meet    conclude.cpp      §8      selection and state
//   run_checks.cpp    §6.1.4  one check every Ta               consent.cpp       7675    may we go on sending?
//   renominate.cpp    draft   another pair after the first
//   check.cpp         §7.2    one check                        receive.cpp       §12     what comes in, and whose it is
//
// Single-threaded. Everything here lives as long as the agent; the sockets as long as its run().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "ice/agent.hpp"
#include "ice/check_list.hpp"
#include "ice/check_message.hpp"
#include "ice/foundation.hpp"
#include "ice/gather_plan.hpp"
#include "ice/renomination.hpp"
#include "ice/replay.hpp"
#include "ice/role.hpp"
#include "ice/valid_list.hpp"
#include "stun/transaction_table.hpp"

namespace strata::ice {

// A socket and its own candidate: an address of this machine, or one of a relay. Its address names it.
struct local_base {
  local_base(session& s, std::unique_ptr<net::udp_socket> bound);
  local_base(session& s, std::unique_ptr<relay> r);

  std::unique_ptr<net::udp_socket> bound;
  std::unique_ptr<relay> relayed;
  net::udp_socket& socket;  // of one of these
  candidate own;
  stun::transaction_table transactions;
  std::vector<base::endpoint> answered_by{};  // STUN servers that know a mapping of this socket
  bool lost = false;                          // no longer among the bases

  [[nodiscard]] std::uint16_t local_preference() const noexcept;
};

// A check that came before we knew whose it is (RFC 8445 §7.3): answered at once, looked at later.
struct early_check {
  base::endpoint base_address, from;
  received_check check;
};

// Data that overtook the answer which makes its pair valid.
struct parked_datagram {
  base::endpoint base_address, from;
  base::bytes payload;
};

struct session {
  session(net::host& h, agent_config c, trace::tracer t);

  net::host& host;
  const agent_config config;
  const trace::tracer tracer;
  std::function<void(base::byte_view)> on_datagram;
  async::scope* scope = nullptr;  // of agent::run(): what serves the bases lives there

  // Who we are, who they are.
  description local;
  stun::integrity_key local_key;
  std::optional<description> remote;
  std::optional<stun::integrity_key> remote_key;
  ice::role role;
  base::duration pacing;

  // Candidates.
  std::vector<std::shared_ptr<local_base>> bases;  // whoever waits for one keeps it
  std::vector<base::ip_address> gathered_from;     // the addresses of this machine then
  std::vector<candidate> local_candidates;         // in the order they are signaled
  std::vector<candidate> discovered;               // ours, peer-reflexive; never signaled
  std::size_t signaled = 0;
  bool gathering_done = false;
  foundations local_foundations;
  std::vector<candidate> remote_candidates;
  std::vector<candidate> unpaired;   // came before the description
  std::deque<candidate> unresolved;  // .local names
  bool remote_ended = false;

  // Checks.
  check_list checks;
  valid_list valid;
  struct in_flight_check {
    pair_id pair;
    std::uint32_t number = 0;  // candidate_pair::current_check when it was sent
    unsigned transmissions = 0;
    bool silent = false;  // RFC 8445 §7.3.1.4: not sent again, its answer still counts
  };
  std::unordered_map<stun::transaction_id, in_flight_check, stun::transaction_id_hash> in_flight;
  std::vector<early_check> early_checks;
  ice::recent_checks recent_checks;
  std::deque<parked_datagram> parked;
  std::size_t parked_bytes = 0;
  base::instant patience_ends = base::never;  // RFC 8863
  std::optional<base::instant> first_valid;
  bool nominating = false;  // our nominating check is under way
  bool disputed = false;    // one had no answer: the peer may use the pair that it named, and we do not
  nomination_memory nominations;
  base::instant nominated_at{};

  // Outcome.
  agent_state state = agent_state::idle;
  std::string reason = "made";
  struct {
    local_base* base = nullptr;
    base::endpoint remote;
  } outlet;                  // where send() sends
  bool interrupted = false;  // consent checks stay unanswered
  base::instant interrupted_since = base::never;
  bool at_rest = true;  // nobody has sent since the last look at the silence of the peer
  counters counts;
  phase_times phases;

  async::event state_changed;       // pulsed
  async::event candidates_changed;  // pulsed
  async::event remote_known;
  async::event work_for_checks;  // set when run_checks should look again
  async::event work_for_consent;
  async::event work_for_names;
  async::event closing;

  [[nodiscard]] base::instant now() const { return host.now(); }
  [[nodiscard]] bool ended() const noexcept { return state == agent_state::failed || state == agent_state::closed; }
  [[nodiscard]] std::shared_ptr<local_base> base_at(const base::endpoint& address) noexcept;
  [[nodiscard]] bool renominates() const noexcept { return local.renomination && remote && remote->renomination; }
  [[nodiscard]] bool relay_only() const noexcept { return config.policy == candidate_policy::relay; }

  void set_state(agent_state next, std::string_view why);
  void set_pair_state(candidate_pair& p, pair_state next, std::string_view why);
  void set_role(bool controlling, std::string_view why);

  bool transmit(local_base& from, const base::endpoint& to, base::byte_view message);
  void note(std::string_view subject, std::string_view text) const;
  void drop(std::uint64_t& counter, std::string_view why, const base::endpoint& from, std::size_t size);
  void invariant() const;
};

// gather.cpp
void open_bases(session& s);
void add_base(session& s, std::shared_ptr<local_base> b);
[[nodiscard]] bool network_changed(session& s);
[[nodiscard]] async::task<> gather(session& s);
[[nodiscard]] async::task<> keep_mappings(session& s);

// gather_tcp.cpp
void open_tcp_bases(session& s, const planned_base& from);
void disconnect(local_base& b, const base::endpoint& peer);  // UDP has nothing to close

// gather_relays.cpp
[[nodiscard]] async::task<> gather_relays(session& s);
void permit_peer(session& s, const local_base& b);

// trickle.cpp
void add_local_candidate(session& s, candidate c);
void end_gathering(session& s, std::string_view why);
void set_remote(session& s, description peer);
base::result<void> add_remote_candidate(session& s, candidate c);
void pair_remote_candidate(session& s, const candidate& c);
void end_remote_candidates(session& s);

// resolve_names.cpp
[[nodiscard]] async::task<> resolve_names(session& s);

// run_checks.cpp
[[nodiscard]] async::task<> run_checks(session& s);

// check.cpp
// What a check is for: to find out; to nominate; to know how a pair does that has been found out about.
enum class purpose : std::uint8_t { ordinary, nominate, probe };
[[nodiscard]] async::task<> check(session& s, pair_id id, purpose why);
void silence(session& s, pair_id id);

// answer_check.cpp
void answer_check(session& s, local_base& b, const stun::message_view& m, const base::endpoint& from);
void process_check(session& s, local_base& b, const base::endpoint& from, const received_check& c);

// conclude.cpp
void reconsider(session& s, std::string_view why);
void nominated(session& s, std::string_view why);
void lose_base(session& s, local_base& b, std::string_view why);

// renominate.cpp
[[nodiscard]] bool is_in_use(const session& s, const candidate_pair& p);  // carries data
[[nodiscard]] base::instant consider_renomination(session& s);
struct due_probe {
  std::optional<pair_id> pair{};
  base::instant look_again = base::never;
};
[[nodiscard]] due_probe consider_probes(session& s);
[[nodiscard]] std::size_t alternatives(const session& s);

// consent.cpp
[[nodiscard]] async::task<> keep_consent(session& s);

// receive.cpp
[[nodiscard]] async::task<> receive(session& s, std::shared_ptr<local_base> b);
void deliver_parked(session& s, const base::endpoint& base_address, const base::endpoint& remote);

// Waits until the event is set or the time has come.
[[nodiscard]] async::task<> set_or_late(async::event& e, base::instant deadline);

}  // namespace strata::ice
