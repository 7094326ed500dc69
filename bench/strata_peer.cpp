// Strata's side of bench/e2e.run: strata-peer [--spin] ROLE MODE SECONDS. Signals are JSON lines on stdin and stdout,
// the last line is {"result": …}; see bench/peers/peer.js for the same over the other libraries.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "async/async.hpp"
#include "base/json.hpp"
#include "net/asio_host.hpp"
#include "rtc/peer_connection.hpp"

using namespace strata;

namespace {

using channel_pointer = std::shared_ptr<datachannel::channel>;

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

double resident_kb() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

double seconds(base::duration d) { return std::chrono::duration<double>(d).count(); }

void say(const base::json& v) { std::cout << v.dump() << std::endl; }
void finish(base::json::object result) { say(base::json::make({{"result", std::move(result)}})); }

datachannel::message text(std::string_view s) { return {base::to_bytes(s), true}; }

dtls::certificate certificate(net::host& h) {
  return dtls::certificate::generate([&h](base::byte_span out) { h.random(out); }, h.wall_now());
}

rtc::options quick() {
  rtc::options o;
  o.gather_patience = std::chrono::milliseconds(20);
  return o;
}

async::task<> send_for(net::host& h, channel_pointer c, std::size_t size, double limit) {
  const base::bytes data(size, 7);
  const auto before = cpu_seconds();
  const auto end = h.now() + std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(limit));
  while (h.now() < end)
    if (const auto sent = co_await c->send({data, false}); !sent) co_return;
  (void)co_await c->send(text("end"));
  (void)co_await c->receive();
  finish({{"cpu_seconds", cpu_seconds() - before}});
}

async::task<> receive_until_end(net::host& h, channel_pointer c) {
  std::size_t octets = 0, messages = 0;
  base::instant first{};
  double before = 0;
  while (auto m = co_await c->receive()) {
    if (m->text) {
      const base::json::object result = {{"bytes", octets},
                                         {"messages", messages},
                                         {"seconds", seconds(h.now() - first)},
                                         {"cpu_seconds", cpu_seconds() - before}};
      (void)co_await c->send(text("done"));
      co_await async::sleep_for(std::chrono::milliseconds(200));
      finish(result);
      co_return;
    }
    if (messages == 0) {
      first = h.now();
      before = cpu_seconds();
    }
    octets += m->data.size();
    ++messages;
  }
}

async::task<> ping_pong(net::host& h, channel_pointer c) {
  constexpr std::size_t rounds = 5000, warm = 500;
  const base::bytes data(64, 1);
  std::vector<base::duration> times;
  for (std::size_t i = 0; i < rounds + warm; ++i) {
    const auto sent = h.now();
    (void)co_await c->send({data, false});
    if (!co_await c->receive()) co_return;
    if (i >= warm) times.push_back(h.now() - sent);
  }
  std::sort(times.begin(), times.end());
  (void)co_await c->send(text("end"));
  co_await async::sleep_for(std::chrono::milliseconds(200));
  finish({{"p50_us", seconds(times[rounds / 2]) * 1e6}, {"p99_us", seconds(times[rounds * 99 / 100]) * 1e6}});
}

async::task<> echo(channel_pointer c) {
  while (auto m = co_await c->receive()) {
    if (m->text) break;
    (void)co_await c->send(std::move(*m));
  }
  finish({});
}

async::task<> one_side(net::host& h, std::string role, std::string mode, double limit, async::channel<std::string>& lines) {
  rtc::peer_connection pc(h, certificate(h), quick(), {});
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("connection", [&pc] { return pc.run(); });
    const auto signal = [](std::string_view type, std::string sdp) {
      say(base::json::make({{"signal", base::json::make({{"type", type}, {"sdp", std::move(sdp)}})}}));
    };
    channel_pointer c;
    if (role == "offer") {
      c = pc.create_channel({.label = "bench"});
      auto offer = co_await pc.create_offer();
      signal("offer", *offer);
    }
    s.spawn("signals", [&]() -> async::task<> {
      while (auto line = co_await lines.receive()) {
        const auto v = base::json::parse(*line);
        const auto* in = v ? v->find("signal") : nullptr;
        if (in == nullptr) continue;
        if (const auto sdp = in->text("sdp"); !sdp.empty()) {
          if (role == "offer") {
            (void)pc.accept_answer(sdp);
          } else if (auto answer = co_await pc.accept_offer(std::string(sdp))) {
            signal("answer", *answer);
          }
        } else if (const auto candidate = in->text("candidate"); !candidate.empty()) {
          (void)pc.add_candidate(candidate);
        }
      }
    });
    if (!co_await pc.connected()) co_return;
    if (role == "answer") c = co_await pc.accept_channel();
    else (void)co_await c->opened();
    if (mode == "rtt") co_await (role == "offer" ? ping_pong(h, c) : echo(c));
    else if (role == "offer") co_await send_for(h, c, mode == "messages" ? 1024 : 65536, limit);
    else co_await receive_until_end(h, c);
    pc.close();
    co_await pc.closed();
  });
}

// Two connections of one process, signaling by hand.
struct pair_of_connections {
  pair_of_connections(net::host& h, const dtls::certificate& certificate)
      : a(h, certificate, quick(), {}), b(h, certificate, quick(), {}) {}
  rtc::peer_connection a, b;
  channel_pointer c;
  async::task<> open(async::scope& s) {
    s.spawn("a", [this] { return a.run(); });
    s.spawn("b", [this] { return b.run(); });
    c = a.create_channel({.label = "bench"});
    auto offer = co_await a.create_offer();
    auto answer = co_await b.accept_offer(*offer);
    (void)a.accept_answer(*answer);
    (void)co_await b.accept_channel();
    (void)co_await c->opened();
  }
};

async::task<> in_one_process(net::host& h, std::string mode, double limit) {
  const auto own = certificate(h);
  if (mode == "setup") {
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
      const auto begin = h.now();
      pair_of_connections p(h, certificate(h));
      co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
        co_await p.open(s);
        times.push_back(seconds(h.now() - begin) * 1e3);
        p.a.close();
        p.b.close();
      });
    }
    std::sort(times.begin(), times.end());
    co_return finish({{"median_ms", times[times.size() / 2]}});
  }
  std::vector<std::unique_ptr<pair_of_connections>> keep;
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    keep.push_back(std::make_unique<pair_of_connections>(h, own));
    co_await keep.back()->open(s);
    const auto before = resident_kb();
    for (int i = 0; i < 50; ++i) {
      keep.push_back(std::make_unique<pair_of_connections>(h, own));
      co_await keep.back()->open(s);
    }
    const auto after = resident_kb();
    co_await async::sleep_for(std::chrono::seconds(1));
    const auto from = cpu_seconds();
    const auto begin = h.now();
    co_await async::sleep_for(std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(limit)));
    finish({{"pair_kb", (after - before) / 50}, {"cpu_percent", (cpu_seconds() - from) / seconds(h.now() - begin) * 100}});
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  net::asio_options options;
  if (!words.empty() && words.front() == "--spin") {
    options.spin = std::chrono::microseconds(100);
    words.erase(words.begin());
  }
  if (words.size() != 3) {
    std::fputs("usage: strata-peer [--spin] offer|answer|both MODE SECONDS\n", stderr);
    return 2;
  }
  const double limit = std::strtod(words[2].c_str(), nullptr);
  net::asio_host host(options);
  if (words[0] == "both") {
    host.run(in_one_process(host, words[1], limit));
    return 0;
  }
  async::channel<std::string> lines(1024);
  std::thread([&host, &lines] {
    for (std::string line; std::getline(std::cin, line);) host.post([&lines, line] { (void)lines.try_send(line); });
  }).detach();
  host.run(one_side(host, words[0], words[1], limit, lines));
  std::_Exit(0);  // the reader of stdin may still be blocked
}
