// What both daemons do around their one call: run until a signal, say what happens on stderr.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "net/asio_host.hpp"
#include "trace/sink.hpp"

namespace strata::apps {

// Events as lines on stderr: state changes, drops and notes; packets only in a capture file. Drops are what anybody on the
// network can cause: of those a few are written in a second, and the others counted, so that nobody fills a disk.
class log_sink final : public trace::sink {
 public:
  explicit log_sink(std::unique_ptr<trace::sink> also = nullptr, bool quiet = false) : also_(std::move(also)), quiet_(quiet) {}
  void on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) override;

 private:
  [[nodiscard]] bool admits_drop(base::instant at);

  std::unique_ptr<trace::sink> also_;
  bool quiet_;
  base::instant second_{};  // when the present second of drops began
  unsigned drops_ = 0;      // in it
};

void say(std::string_view text);  // one line on stderr

// Runs the daemon; SIGINT or SIGTERM calls stop. The daemon's own end ends the program too.
int run_daemon(net::asio_host& host, async::task<> daemon, std::function<void()> stop);

}  // namespace strata::apps
