// The way to the peer through the generations of ICE. A restart (RFC 8445 §9) makes a second agent beside the one that
// carries data; data moves over when the second one works, and not before: a restart can only win.
//
//   path way(host, config, tracer);
//   s.spawn("path", [&way] { return way.run(); });
//   auto next = way.restart();  signal(next->local());  ...  next->set_remote(theirs);
//
// An agent that data has moved away from listens for three more seconds, for what is still under way.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.hpp"
#include "base/result.hpp"
#include "ice/agent.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::rtc {

class path {
 public:
  using agent_pointer = std::shared_ptr<ice::agent>;

  path(net::host& host, ice::agent_config config, trace::tracer tracer);
  path(const path&) = delete;
  path& operator=(const path&) = delete;

  async::task<> run();  // until close() or cancelled; once
  void close();

  [[nodiscard]] const agent_pointer& current() const noexcept { return current_; }                 // carries data
  [[nodiscard]] const agent_pointer& newest() const noexcept { return next_ ? next_ : current_; }  // is being signaled
  [[nodiscard]] bool restarting() const noexcept { return next_ != nullptr; }
  [[nodiscard]] unsigned restarts() const noexcept { return restarts_; }  // that data moved to

  // A new generation beside the current one, with new credentials and the same role. One at a time: another one that is
  // under way is given up.
  agent_pointer restart(std::string_view why);
  void abandon_restart(std::string_view why);

  // Waits until another path should be looked for, and says why: this one does not answer, the network changed, or a
  // relay carries what might go directly. Whoever asks then calls restart().
  [[nodiscard]] async::task<std::string> restart_wanted();
  // The machine's addresses are others now. What is gone is given up at once.
  void network_changed();
  // Other servers, or the same with other credentials: for the next restart, which comes now when a relay of ours is in use.
  void set_config(ice::agent_config c);

  // To the generation that it names, to the newest otherwise.
  base::result<void> add_candidate(std::string_view line);

  bool send(base::byte_view datagram) { return current_->send(datagram); }
  std::function<void(base::byte_view)> on_datagram;  // of any generation

  // Waits for a change: the current agent's state, another current agent, a restart that began or ended.
  [[nodiscard]] async::task<> changed() { co_await changed_.wait(); }

 private:
  agent_pointer make_agent();
  async::task<> serve(agent_pointer a);
  async::task<> follow(agent_pointer a);
  void take_over(const agent_pointer& a);
  void note_interruption();

  net::host& host_;
  ice::agent_config config_;
  trace::tracer tracer_;
  agent_pointer current_, next_;
  unsigned restarts_ = 0;
  // For the decision to restart.
  base::instant last_attempt_;
  base::instant interrupted_since_ = base::never;
  std::string_view asked_{};    // static text: why another path should be looked for
  std::string_view pending_{};  // the restart under way is for this
  unsigned fruitless_ = 0;
  async::scope* scope_ = nullptr;  // of run()
  async::event changed_;           // pulsed
  async::event closing_;
};

}  // namespace strata::rtc
