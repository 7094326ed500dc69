#include "daemon.hpp"

#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "async/async.hpp"

namespace strata::apps {

void say(std::string_view text) { std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data()); }

bool log_sink::admits_drop(base::instant at) {
  constexpr unsigned in_a_second = 20;
  if (at - second_ >= std::chrono::seconds(1)) {
    if (drops_ > in_a_second)
      say(fmt::format("{:>12.3f} {:10} {} more drops", base::milliseconds(at.time_since_epoch()), "-", drops_ - in_a_second));
    second_ = at;
    drops_ = 0;
  }
  return ++drops_ <= in_a_second;
}

void log_sink::on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) {
  if (also_) also_->on_event(at, connection, e);
  if (quiet_ || std::holds_alternative<trace::packet>(e) || std::holds_alternative<trace::inner_packet>(e) ||
      std::holds_alternative<trace::dtls_secret>(e))
    return;
  if (std::holds_alternative<trace::drop>(e) && !admits_drop(at)) return;
  say(fmt::format("{:>12.3f} {:10} {}", base::milliseconds(at.time_since_epoch()), connection.empty() ? "-" : connection,
                  trace::describe(e)));
}

namespace {

async::task<> until_signal(net::asio_host& host, async::task<> daemon, std::function<void()> stop) {
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("signals", [&host, stop]() -> async::task<> {
      co_await host.wait_signal({SIGINT, SIGTERM});
      stop();
    });
    co_await std::move(daemon);
  });
}

}  // namespace

int run_daemon(net::asio_host& host, async::task<> daemon, std::function<void()> stop) {
  host.run(until_signal(host, std::move(daemon), std::move(stop)));
  return 0;
}

}  // namespace strata::apps
