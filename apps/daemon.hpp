// What both daemons do around their one call: signals, the service manager, the end.
#pragma once

#include <functional>
#include <string>

#include "async/task.hpp"
#include "net/asio_host.hpp"

namespace strata::apps {

struct daemon_hooks {
  std::function<void()> stop;           // SIGINT or SIGTERM: end in order; the task ends when that is done
  std::function<std::string()> reload;  // SIGHUP: what is wrong with what was read anew, or nothing
  std::string status;                   // what the service manager shows: "listening on …"
};

// Runs the daemon's task to its end and tells the service manager of it. A second SIGINT or SIGTERM ends the program at once
// with 128 + its number: nothing is unwound, what was acknowledged is on the disk already.
int run_daemon(net::asio_host& host, async::task<> daemon, daemon_hooks hooks);

}  // namespace strata::apps
