#include "daemon.hpp"

#include <csignal>
#include <cstdlib>

#include <fmt/format.h>

#include "async/async.hpp"
#include "log.hpp"
#include "service_manager.hpp"

namespace strata::apps {
namespace {

void reload(const daemon_hooks& hooks, const service_manager& manager) {
  manager.reloading();
  if (const auto trouble = hooks.reload(); !trouble.empty())
    say(log_level::error, "not reloaded, what was in use stays: " + trouble);
  else say(log_level::info, "reloaded");
  manager.ready(hooks.status);
}

async::task<> obey_signals(net::signal_watch& signals, const daemon_hooks& hooks, const service_manager& manager) {
  for (bool stopping = false;;) {
    const int which = co_await signals.next();
    if (which == SIGHUP) {
      if (!stopping) reload(hooks, manager);
      continue;
    }
    if (stopping) {
      say(log_level::warning, "told twice to end: ending at once");
      std::_Exit(128 + which);
    }
    stopping = true;
    manager.stopping();
    say(log_level::info, "ending");
    hooks.stop();
  }
}

// Half the manager's patience, as sd_watchdog_enabled(3) advises. It is sent from the loop that does the work: a daemon that
// hangs does not send it.
async::task<> stay_alive(const service_manager& manager) {
  if (!manager.watchdog()) co_return;
  for (;;) {
    manager.alive();
    co_await async::sleep_for(*manager.watchdog() / 2);
  }
}

async::task<> until_ended(net::asio_host& host, async::task<> daemon, const daemon_hooks& hooks) {
  const service_manager manager;
  const auto signals = host.watch_signals({SIGINT, SIGTERM, SIGHUP});
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("signals", [&] { return obey_signals(*signals, hooks, manager); });
    s.spawn("watchdog", [&] { return stay_alive(manager); });
    manager.ready(hooks.status);
    co_await std::move(daemon);
  });
}

}  // namespace

int run_daemon(net::asio_host& host, async::task<> daemon, daemon_hooks hooks) {
  host.run(until_ended(host, std::move(daemon), hooks));
  return 0;
}

}  // namespace strata::apps
