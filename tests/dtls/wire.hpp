// Two machines, a virtual clock and a wire between them that a test can tamper with datagram by datagram.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "dtls/endpoint.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::test {

using namespace std::chrono_literals;

class virtual_loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override { return now_; }
  base::instant now_{};
};

// Only what DTLS needs: a clock and random bytes.
class machine final : public net::host {
 public:
  machine(async::loop& l, std::uint64_t seed) : loop_(l), random_(seed) {}
  async::loop& loop() override { return loop_; }
  base::wall_time wall_now() override { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); }
  void random(base::byte_span out) override {
    for (auto& octet : out) octet = static_cast<std::uint8_t>(random_());
  }
  net::result<std::unique_ptr<net::udp_socket>> bind_udp(const base::endpoint&, net::udp_options) override {
    return base::fail(base::errc::unsupported);
  }
  async::task<net::result<std::unique_ptr<net::stream>>> connect_tcp(base::endpoint, net::tcp_options) override {
    co_return base::fail(base::errc::unsupported);
  }
  net::result<std::unique_ptr<net::listener>> listen_tcp(const base::endpoint&, net::tcp_options) override {
    return base::fail(base::errc::unsupported);
  }
  async::task<net::result<std::unique_ptr<net::stream>>> connect_local(std::string) override {
    co_return base::fail(base::errc::unsupported);
  }
  net::result<std::unique_ptr<net::listener>> listen_local(const std::string&) override {
    return base::fail(base::errc::unsupported);
  }
  async::task<net::result<std::vector<base::ip_address>>> resolve(std::string) override {
    co_return base::fail(base::errc::unsupported);
  }
  std::vector<net::interface_address> interfaces() override { return {}; }
  async::task<> interfaces_changed() override { co_await async::sleep_for(std::chrono::hours(24)); }

 private:
  async::loop& loop_;
  std::mt19937_64 random_;
};

// Remembers what the layer tells.
class recorder final : public trace::sink {
 public:
  void on_event(base::instant, const trace::subject_id&, const trace::event& e) override {
    if (const auto* s = std::get_if<trace::state_change>(&e)) states.push_back(std::string(s->to));
    if (const auto* d = std::get_if<trace::drop>(&e)) drops.push_back(std::string(d->reason));
    if (const auto* s = std::get_if<trace::dtls_secret>(&e)) secrets.push_back(*s);
  }
  std::vector<std::string> states, drops;
  std::vector<trace::dtls_secret> secrets;
};

enum class side : std::uint8_t { client, server };

struct sent {
  side from;
  base::instant at;
  base::bytes data;
};

class wire {
 public:
  static constexpr base::duration latency = 20ms;

  explicit wire(std::uint64_t seed = 1) : machines{{loop, seed}, {loop, seed + 1000}} {}

  // Looks at the n-th datagram (counted from 0 on each side); what it returns is delivered after the latency, each
  // with its own additional delay. Without it everything is delivered once.
  struct arrival {
    base::bytes data;
    base::duration delay{};
  };
  std::function<std::vector<arrival>(side, std::size_t, const base::bytes&)> tamper;

  void build(std::vector<crypto::fingerprint> client_expects, std::vector<crypto::fingerprint> server_expects,
             dtls::config client_config = {}, dtls::config server_config = {}) {
    make(side::client, std::move(client_expects), std::move(client_config));
    make(side::server, std::move(server_expects), std::move(server_config));
  }
  void build(dtls::config client_config = {}, dtls::config server_config = {}) {
    build({certificate(side::server).fingerprint()}, {certificate(side::client).fingerprint()}, std::move(client_config),
          std::move(server_config));
  }

  const crypto::certificate& certificate(side s) {
    auto& slot = certificates[index(s)];
    if (!slot)
      slot = crypto::certificate::generate([this, s](base::byte_span out) { machines[index(s)].random(out); },
                                           machines[index(s)].wall_now());
    return *slot;
  }
  dtls::endpoint& client() { return *ends[0]; }
  dtls::endpoint& server() { return *ends[1]; }
  dtls::endpoint& at(side s) { return *ends[index(s)]; }
  [[nodiscard]] const std::vector<base::bytes>& received(side s) const { return data[index(s)]; }
  recorder& trace(side s) { return recorders[index(s)]; }

  // Puts a datagram on the wire as if the other side had sent it; nothing tampers with it.
  void inject(side to, base::bytes datagram, base::duration after = {}) {
    pending.emplace(loop.now() + after, arriving{to, std::move(datagram)});
  }

  // Runs until the task has ended. When nothing is left to happen before that, the test fails with the task tree.
  template <class T>
  T run(async::task<T> t) {
    async::root_task<T> root(loop, "test", std::move(t));
    while (!root.done())
      if (!advance() && !root.done()) throw std::runtime_error("nothing left to happen\n" + loop.task_tree());
    return root.take();
  }
  void settle(base::duration d = 1h) {
    run([](base::duration span) -> async::task<> { co_await async::sleep_for(span); }(d));
  }

  // Somebody else stands on that side.
  void replace(side s, std::function<void(base::byte_view)> receiver) { receivers[index(s)] = std::move(receiver); }

  using outcome = base::result<void>;
  std::pair<outcome, outcome> handshake() {
    auto both = [](wire& w) -> async::task<std::tuple<outcome, outcome>> {
      co_return co_await async::all_of(w.client().handshake(), w.server().handshake());
    };
    auto [c, s] = run(both(*this));
    return {c, s};
  }

  bool transmit(side from, base::byte_view datagram) {
    if (outbox_full) return false;
    const base::bytes copy = base::to_bytes(datagram);
    log.push_back({from, loop.now(), copy});
    std::vector<arrival> arrivals;
    const std::size_t n = counts[index(from)]++;
    if (tamper) arrivals = tamper(from, n, copy);
    else arrivals.push_back({copy});
    for (arrival& a : arrivals) pending.emplace(loop.now() + latency + a.delay, arriving{other(from), std::move(a.data)});
    return true;
  }

  virtual_loop loop;
  machine machines[2];
  bool outbox_full = false;  // transmit() says false
  std::vector<sent> log;     // everything that either side has transmitted

 private:
  static std::size_t index(side s) { return static_cast<std::size_t>(s); }
  static side other(side s) { return s == side::client ? side::server : side::client; }
  struct arriving {
    side to;
    base::bytes data;
  };

  void make(side s, std::vector<crypto::fingerprint> expected, dtls::config c) {
    ends[index(s)] = std::make_unique<dtls::endpoint>(
        machines[index(s)], certificate(s), s == side::client ? dtls::role::client : dtls::role::server, std::move(expected),
        std::move(c), [this, s](base::byte_view d) { return transmit(s, d); }, trace::tracer(recorders[index(s)], "test"));
    ends[index(s)]->on_data = [this, s](base::byte_view d) { data[index(s)].push_back(base::to_bytes(d)); };
  }

  bool advance() {
    loop.run_ready();
    const base::instant wire_next = pending.empty() ? base::never : pending.begin()->first;
    const base::instant next = std::min(wire_next, loop.next_deadline());
    if (next == base::never) return false;
    loop.now_ = std::max(loop.now_, next);
    if (wire_next <= next) {
      auto first = pending.extract(pending.begin());
      const side to = first.mapped().to;
      if (receivers[index(to)]) receivers[index(to)](first.mapped().data);
      else at(to).receive(first.mapped().data);
    } else {
      loop.fire_timers();
    }
    loop.run_ready();
    return true;
  }

  std::optional<crypto::certificate> certificates[2];
  std::unique_ptr<dtls::endpoint> ends[2];
  std::function<void(base::byte_view)> receivers[2];
  recorder recorders[2];
  std::vector<base::bytes> data[2];
  std::size_t counts[2] = {0, 0};
  std::multimap<base::instant, arriving> pending;
};

}  // namespace strata::test
