// What the coroutine framework costs, beside asio::awaitable doing the same in the same process.
//
//   bench-async [--json FILE]
//
// Nanoseconds for one operation, the best of several rounds. Ours runs on a bare loop over the steady clock, Asio on
// an io_context with one thread (concurrency hint 1, so it takes no locks). The bare loop makes no system call at all;
// an io_context looks at its epoll descriptor between handlers. That is part of the difference, and is why a turn of
// our loop runs everything that is ready before its driver looks at the kernel again.
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "async/async.hpp"

namespace {

using strata::async::task;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr int rounds = 7;
constexpr int batch = 100;  // children that live at once

// Strata

class clock_loop final : public strata::async::loop {
 public:
  strata::base::instant now() const override {
    return strata::base::instant(std::chrono::duration_cast<strata::base::duration>(clock_type::now().time_since_epoch()));
  }
  void run(task<> t) {
    strata::async::root_task<void> root(*this, "bench", std::move(t));
    while (!root.done()) {
      run_ready();
      fire_timers();
    }
  }
};

namespace ours {

task<int> value(int n) { co_return n; }
task<> nothing() { co_return; }

task<> await(int count) {
  volatile int sum = 0;
  for (int i = 0; i < count; ++i) sum = sum + co_await value(i);
}
task<> yield(int count) {
  for (int i = 0; i < count; ++i) co_await strata::async::yield();
}
task<> spawn(int count) {
  for (int left = count; left > 0; left -= batch)
    co_await strata::async::with_scope(strata::async::at_end::join, [](strata::async::scope& s) -> task<> {
      for (int i = 0; i < batch; ++i) s.spawn("child", nothing);
      co_return;
    });
}
task<> channel(int count) {
  strata::async::channel<int> c(1);
  const auto send = [](strata::async::channel<int>& c, int count) -> task<> {
    for (int i = 0; i < count; ++i) co_await c.send(i);
  };
  const auto receive = [](strata::async::channel<int>& c, int count) -> task<> {
    for (int i = 0; i < count; ++i) co_await c.receive();
  };
  co_await strata::async::all_of(send(c, count), receive(c, count));
}
task<> timer(int count) {
  for (int i = 0; i < count; ++i) co_await strata::async::sleep_for(0ns);
}
task<> timeout(int count) {
  for (int i = 0; i < count; ++i) co_await strata::async::with_timeout(1h, value(i));
}

}  // namespace ours

// Asio

namespace theirs {

using asio::awaitable;
using asio::use_awaitable;
using namespace asio::experimental::awaitable_operators;
using int_channel = asio::experimental::channel<void(asio::error_code, int)>;

awaitable<int> value(int n) { co_return n; }
awaitable<void> nothing() { co_return; }

awaitable<void> await(int count) {
  volatile int sum = 0;
  for (int i = 0; i < count; ++i) sum = sum + co_await value(i);
}
awaitable<void> yield(int count) {
  const auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < count; ++i) co_await asio::post(executor, use_awaitable);
}
awaitable<void> spawn(int count) {
  const auto executor = co_await asio::this_coro::executor;
  for (int left = count; left > 0; left -= batch) {
    for (int i = 0; i < batch; ++i) asio::co_spawn(executor, nothing(), asio::detached);
    co_await asio::post(executor, use_awaitable);
  }
}
awaitable<void> send(int_channel& c, int count) {
  for (int i = 0; i < count; ++i) co_await c.async_send(asio::error_code(), i, use_awaitable);
}
awaitable<void> receive(int_channel& c, int count) {
  for (int i = 0; i < count; ++i) co_await c.async_receive(use_awaitable);
}
awaitable<void> channel(int count) {
  int_channel c(co_await asio::this_coro::executor, 1);
  co_await (send(c, count) && receive(c, count));
}
awaitable<void> timer(int count) {
  asio::steady_timer t(co_await asio::this_coro::executor);
  for (int i = 0; i < count; ++i) {
    t.expires_after(0ns);
    co_await t.async_wait(use_awaitable);
  }
}
awaitable<void> timeout(int count) {
  asio::steady_timer t(co_await asio::this_coro::executor);
  for (int i = 0; i < count; ++i) {
    t.expires_after(1h);
    co_await (value(i) || t.async_wait(use_awaitable));
  }
}

}  // namespace theirs

struct row {
  const char* name;
  const char* what;
  int count;
  std::function<task<>(int)> strata;
  std::function<asio::awaitable<void>(int)> asio;
};

template <class Run>
double best_ns(int count, Run run) {
  double best = 1e18;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = clock_type::now();
    run();
    const std::chrono::duration<double, std::nano> took = clock_type::now() - begin;
    best = std::min(best, took.count() / count);
  }
  return best;
}

void run_asio(asio::awaitable<void> body) {
  asio::io_context context(1);
  asio::co_spawn(context, std::move(body), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
  const char* json_file = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
      json_file = argv[++i];
    } else {
      std::fprintf(stderr, "usage: bench-async [--json FILE]\n");
      return std::strcmp(argv[i], "--help") == 0 ? 0 : 2;
    }
  }

  const std::vector<row> rows = {
      {"await", "call and await a task that returns at once", 1'000'000, ours::await, theirs::await},
      {"yield", "go through the loop's queue once", 1'000'000, ours::yield, theirs::yield},
      {"spawn", "start a child, run it, hear of its end", 100'000, ours::spawn, theirs::spawn},
      {"channel", "hand an item from one fiber to another", 500'000, ours::channel, theirs::channel},
      {"timer", "sleep for no time; Asio asks the kernel, our bare loop does not", 200'000, ours::timer, theirs::timer},
      {"timeout", "await a task with a limit of time", 100'000, ours::timeout, theirs::timeout},
  };
  std::string json = "{\"benchmark\":\"async\",\"unit\":\"ns\",\"rows\":[";
  std::printf("%-10s %12s %12s %8s   %s\n", "ns each", "strata", "asio", "ratio", "what");
  for (const auto& r : rows) {
    const double strata = best_ns(r.count, [&] {
      clock_loop loop;
      loop.run(r.strata(r.count));
    });
    const double asio = best_ns(r.count, [&] { run_asio(r.asio(r.count)); });
    std::printf("%-10s %12.1f %12.1f %7.1fx   %s\n", r.name, strata, asio, asio / strata, r.what);
    char text[160];
    std::snprintf(text, sizeof text, "%s{\"name\":\"%s\",\"strata\":%.1f,\"asio\":%.1f}", &r == &rows.front() ? "" : ",",
                  r.name, strata, asio);
    json += text;
  }
  json += "]}\n";
  if (json_file != nullptr) {
    std::FILE* out = std::fopen(json_file, "w");
    if (out == nullptr || std::fputs(json.c_str(), out) < 0 || std::fclose(out) != 0) {
      std::fprintf(stderr, "cannot write %s\n", json_file);
      return 1;
    }
  }
  return 0;
}
