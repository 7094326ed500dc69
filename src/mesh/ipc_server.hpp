// The local socket where programs attach. Lines in, lines out; every queue is bounded in bytes.
//
// A program that does not read makes its queue full; then whoever wants to hand it something waits (a link's
// receiver, which in turn stops reading from its peer). A program that is away finds what arrived meanwhile when it
// attaches again, up to a bound.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "mesh/ipc_line.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::mesh {

inline constexpr std::size_t ipc_queue_bytes = 4u << 20;   // per attached program
inline constexpr std::size_t ipc_replay_bytes = 1u << 20;  // while no program is attached

struct ipc_counters {
  std::uint64_t attached = 0, commands = 0, bad_lines = 0, delivered = 0, replayed = 0, overflowed = 0;
};

// One attached program.
class ipc_session {
 public:
  explicit ipc_session(std::unique_ptr<net::stream> s) : stream_(std::move(s)), outgoing_(ipc_queue_bytes, weight_of) {}

  // Waits for room. False: the program is gone.
  [[nodiscard]] async::task<bool> tell(std::string line);
  // For answers and events that must not wait: false when the queue is full.
  bool try_tell(std::string line) { return outgoing_.try_send(std::move(line)); }
  [[nodiscard]] bool gone() const noexcept { return outgoing_.closed(); }
  void end() { outgoing_.close(); }  // releases everybody who waits for room

 private:
  friend class ipc_server;
  static std::size_t weight_of(const std::string& line) noexcept { return line.size() + 1; }
  async::task<> write_lines();

  std::unique_ptr<net::stream> stream_;
  async::channel<std::string> outgoing_;
};

class ipc_server {
 public:
  // on_command runs in the session's reader: while it waits, that program's next command waits too.
  struct handlers {
    std::function<async::task<>(ipc_session&, command)> on_command;
    std::function<void(ipc_session&)> on_attached;  // queue the first lines here
  };

  ipc_server(net::host& h, std::string path, handlers hs, trace::tracer t);

  base::result<void> listen();  // bind before anything else: a program waits only seconds for the file
  async::task<> run();          // accepts and serves until cancelled

  // To every attached program; waits for the slowest. Without one the line is kept for the next, as long as there is
  // room; false when there is none.
  [[nodiscard]] async::task<bool> deliver(std::string line);
  // An event about the state of things: told to those who are there, not kept, never waits.
  void announce(const std::string& line);

  [[nodiscard]] std::size_t programs() const noexcept { return sessions_.size(); }
  [[nodiscard]] const ipc_counters& counters() const noexcept { return counters_; }

 private:
  async::task<> serve(std::shared_ptr<ipc_session> s);
  async::task<> read_commands(ipc_session& s);

  net::host& host_;
  std::string path_;
  handlers handlers_;
  trace::tracer tracer_;
  std::unique_ptr<net::listener> listener_;
  std::vector<std::shared_ptr<ipc_session>> sessions_;
  std::deque<std::string> replay_;
  std::size_t replay_bytes_ = 0;
  ipc_counters counters_;
};

}  // namespace strata::mesh
