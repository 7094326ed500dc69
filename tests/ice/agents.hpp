// Two agents on two simulated hosts, and the signaling between them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "ice/agent.hpp"
#include "sim/network.hpp"

namespace strata::ice::testing {

using namespace std::chrono_literals;

// Sends what one agent finds to the other, as text, some time later; then the end of candidates.
inline async::task<> trickle(agent& from, agent& to, base::duration delay) {
  while (const auto c = co_await from.next_local_candidate()) {
    co_await async::sleep_for(delay);
    (void)to.add_remote_candidate(std::string_view("a=" + format(*c) + " generation 0 ufrag " + from.local().ufrag));
  }
  to.remote_end_of_candidates();
}

// The answer travels once more than the offer.
inline async::task<> describe(agent& offerer, agent& answerer, base::duration delay) {
  co_await async::sleep_for(delay);
  answerer.set_remote(offerer.local());
  co_await async::sleep_for(delay);
  offerer.set_remote(answerer.local());
}

// Runs both agents and the signaling beside the body; everything has ended when it returns.
template <class Body>
void with_agents(sim::network& net, agent& a, agent& b, Body body, base::duration signaling_delay = 20ms) {
  net.run([](agent& a, agent& b, Body& body, base::duration delay) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("agent a", [&a] { return a.run(); });
      s.spawn("agent b", [&b] { return b.run(); });
      s.spawn("signaling", describe, std::ref(a), std::ref(b), delay);
      s.spawn("candidates of a", trickle, std::ref(a), std::ref(b), delay);
      s.spawn("candidates of b", trickle, std::ref(b), std::ref(a), delay);
      co_await body();
    });
  }(a, b, body, signaling_delay));
}

// Only the agents; the body does the signaling.
template <class Body>
void with_silent_agents(sim::network& net, agent& a, agent& b, Body body) {
  net.run([](agent& a, agent& b, Body& body) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("agent a", [&a] { return a.run(); });
      s.spawn("agent b", [&b] { return b.run(); });
      co_await body();
    });
  }(a, b, body));
}

inline async::task<> wait_for(agent& a, agent_state wanted) {
  while (a.state() != wanted) co_await a.next_state(a.state());
}
inline async::task<> both_completed(agent& a, agent& b) {
  co_await wait_for(a, agent_state::completed);
  co_await wait_for(b, agent_state::completed);
}

// Everything that arrives, as text.
struct inbox {
  explicit inbox(agent& a) {
    a.on_datagram = [this](base::byte_view d) {
      received.emplace_back(base::as_text(d));
      arrived.pulse();
    };
  }
  async::task<> until(std::size_t count) {
    while (received.size() < count) co_await arrived.wait();
  }
  std::vector<std::string> received;
  async::event arrived;
};

// Every trace event as one line.
struct recorder final : trace::sink {
  void on_event(base::instant, const trace::subject_id&, const trace::event& e) override {
    if (!std::holds_alternative<trace::packet>(e)) lines.push_back(trace::describe(e));
  }
  [[nodiscard]] bool has(std::string_view part) const {
    for (const auto& l : lines)
      if (l.find(part) != std::string::npos) return true;
    return false;
  }
  std::vector<std::string> lines;
};

}  // namespace strata::ice::testing
