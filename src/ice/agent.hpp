// An ICE agent for one data session: one stream, one component (RFC 8445, full implementation).
//
//   ice::agent agent(host, {.controlling = true, .stun_servers = {server}}, tracer);
//   s.spawn("ice", [&] { return agent.run(); });
//   signal(agent.local());  while (auto c = co_await agent.next_local_candidate()) signal(format(*c));
//   agent.set_remote(theirs);  agent.add_remote_candidate(c);  agent.remote_end_of_candidates();
//   if (co_await agent.connected()) agent.send(datagram);
//
// Everything is called on the host's loop. Callbacks come from run(), one at a time, never from inside a call to the
// agent, and none after run() has ended. run() must have ended before the agent is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "ice/agent_config.hpp"
#include "ice/candidate.hpp"
#include "ice/candidate_text.hpp"
#include "ice/description.hpp"
#include "ice/error.hpp"
#include "ice/stats.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::ice {

struct session;  // session.hpp: the parts of an agent

// idle: the peer's description is not known. checking: no pair works yet. connected: a pair works and carries data.
// completed: a pair is nominated (RFC 8445 §8.1.2). disconnected: the peer stopped answering, consent has not run out
// yet; data is still sent. failed: nothing works, or consent ran out; only another agent helps. closed: by close().
enum class agent_state : std::uint8_t { idle, checking, connected, completed, disconnected, failed, closed };
std::string_view to_string(agent_state s) noexcept;

class agent {
 public:
  agent(net::host& host, agent_config config, trace::tracer tracer = {});
  ~agent();
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  // All background work: gathers at once, checks when the peer's description is known. Ends on close() or when
  // cancelled. Once.
  [[nodiscard]] async::task<> run();
  void close();

  // Signaling out. The candidates appear in the order found; nothing, when there will be no more. One reader.
  [[nodiscard]] const description& local() const noexcept;
  [[nodiscard]] const std::optional<description>& remote() const noexcept;
  [[nodiscard]] async::task<std::optional<candidate>> next_local_candidate();
  [[nodiscard]] std::vector<candidate> local_candidates() const;
  [[nodiscard]] async::task<> gathered();  // or closed

  // Signaling in, in any order, before or after run() began. Candidates that come before the description wait for it.
  void set_controlling(bool controlling);  // before set_remote(); a lite peer makes us controlling anyway
  void set_remote(description peer);
  base::result<void> add_remote_candidate(candidate c);            // .local names are resolved in the background
  base::result<void> add_remote_candidate(std::string_view line);  // the empty line is the end of candidates
  void remote_end_of_candidates();

  [[nodiscard]] async::task<base::result<void>> connected();  // a pair works; errc::failed or errc::closed otherwise
  [[nodiscard]] agent_state state() const noexcept;
  [[nodiscard]] std::string_view reason() const noexcept;               // of the last state change
  [[nodiscard]] async::task<agent_state> next_state(agent_state seen);  // waits for another one
  [[nodiscard]] bool controlling() const noexcept;

  // The machine's addresses may have changed: what is gone is given up at once. True: this agent would have gathered
  // something else by now. (RFC 8838 §13 allows it nothing new; a restart finds new paths.)
  bool network_changed();

  // A datagram on the selected pair. False: there is none, consent is lost, or the socket's outbox is full.
  bool send(base::byte_view datagram);
  // A datagram that is not STUN, from the remote address of a validated pair; borrowed for the call.
  std::function<void(base::byte_view)> on_datagram;

  [[nodiscard]] std::optional<selected_pair> selected() const;
  // Both sides renominate: other paths are looked after, and data moves to one of them without a restart.
  [[nodiscard]] bool renominates() const noexcept;
  [[nodiscard]] std::size_t alternatives() const noexcept;  // valid pairs beside the selected one
  [[nodiscard]] const counters& counts() const noexcept;
  [[nodiscard]] const phase_times& phases() const noexcept;
  [[nodiscard]] std::vector<pair_report> pairs() const;  // every pair with what became of it, best first

 private:
  std::unique_ptr<session> session_;
};

}  // namespace strata::ice
