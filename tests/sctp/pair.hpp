// Two associations, a virtual clock, and a wire between them that loses, delays and tampers.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "base/crc32.hpp"
#include "net/host.hpp"
#include "sctp/association.hpp"
#include "sctp/packet.hpp"
#include "sim/process_clock.hpp"
#include "trace/sink.hpp"

namespace strata::test {

using namespace std::chrono_literals;

class virtual_loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override { return now_; }
  base::instant now_{1h};
};

// A clock and random octets; SCTP wants nothing else of a host.
class machine final : public net::host {
 public:
  explicit machine(virtual_loop& l) : loop_(l) {}
  async::loop& loop() override { return loop_; }
  base::wall_time wall_now() override { return {}; }
  void random(base::byte_span out) override {
    for (auto& octet : out) octet = static_cast<std::uint8_t>(random_());
  }
  net::result<std::unique_ptr<net::udp_socket>> bind_udp(const base::endpoint&, net::udp_options) override { return none(); }
  async::task<net::result<std::unique_ptr<net::stream>>> connect_tcp(base::endpoint, net::tcp_options) override {
    co_return none();
  }
  net::result<std::unique_ptr<net::listener>> listen_tcp(const base::endpoint&, net::tcp_options) override { return none(); }
  async::task<net::result<std::unique_ptr<net::stream>>> connect_local(std::string) override { co_return none(); }
  net::result<std::unique_ptr<net::listener>> listen_local(const std::string&) override { return none(); }
  async::task<net::result<std::vector<base::ip_address>>> resolve(std::string) override { co_return none(); }
  std::vector<net::interface_address> interfaces() override { return {}; }
  async::task<> interfaces_changed() override { co_await async::sleep_for(std::chrono::hours(24)); }

 private:
  static tl::unexpected<base::error> none() { return base::fail(base::errc::unsupported); }
  virtual_loop& loop_;
  std::mt19937_64 random_{1};
};

class recorder final : public trace::sink {
 public:
  void on_event(base::instant, const trace::subject_id&, const trace::event& e) override {
    if (const auto* s = std::get_if<trace::state_change>(&e)) states.push_back(std::string(s->to));
    if (const auto* d = std::get_if<trace::drop>(&e)) drops.push_back(std::string(d->reason));
  }
  std::vector<std::string> states, drops;
};

enum side : std::size_t { a = 0, b = 1 };
inline side other(side s) { return s == a ? b : a; }

struct link {
  base::duration latency = 10ms;
  double loss = 0, duplicate = 0, reorder = 0;  // probabilities; a reordered packet takes three latencies
};

class wire {
 public:
  explicit wire(test::link l = {}, sctp::association_config ca = {}, sctp::association_config cb = {}) : path(l) {
    sim::follow(&loop);
    make(a, ca);
    make(b, cb);
  }
  ~wire() {
    ends[a].reset();
    ends[b].reset();
    sim::follow(nullptr);
  }

  // Sees every packet before the link does; false: it is lost. Counted from 0 on each side.
  std::function<bool(side, std::size_t, base::byte_view)> pass;

  sctp::association& at(side s) { return *ends[s]; }

  void inject(side to, base::bytes packet, base::duration after = {}) {
    pending.emplace(loop.now() + after, arriving{to, std::move(packet)});
  }

  template <class T>
  T run(async::task<T> t, base::duration limit = 2h) {
    async::root_task<T> root(loop, "test", std::move(t));
    const auto until = loop.now() + limit;
    while (!root.done()) {
      if (loop.now() <= until && advance()) continue;
      const auto tree = loop.task_tree();
      root.request_cancel();
      for (int i = 0; i < 100 && !root.done(); ++i) loop.run_ready();
      throw std::runtime_error("the test came to a halt\n" + tree);
    }
    return root.take();
  }
  void settle(base::duration d) {
    run([](base::duration span) -> async::task<> { co_await async::sleep_for(span); }(d), d + 1h);
  }
  void connect() {
    run([](wire& w) -> async::task<> {
      const auto [first, second] = co_await async::all_of(w.at(a).connect(), w.at(b).connect());
      REQUIRE(first.has_value());
      REQUIRE(second.has_value());
    }(*this));
  }

  virtual_loop loop;
  machine host{loop};
  test::link path;
  std::array<recorder, 2> traces;
  std::array<std::unique_ptr<sctp::association>, 2> ends;
  std::array<std::size_t, 2> counts{};           // packets sent
  std::array<std::vector<base::bytes>, 2> sent;  // kept while keep is on
  bool keep = false;

 private:
  struct arriving {
    side to;
    base::bytes packet;
  };
  void make(side s, const sctp::association_config& c) {
    ends[s] = sctp::make_usrsctp_association(
        host, c, [this, s](base::byte_view packet) { return leaves(s, packet); }, trace::tracer(traces[s], s == a ? "a" : "b"));
  }
  bool leaves(side from, base::byte_view packet) {
    if (keep) sent[from].push_back(base::to_bytes(packet));
    const auto n = counts[from]++;
    if (pass && !pass(from, n, packet)) return true;
    if (draw() < path.loss) return true;
    const auto delay = draw() < path.reorder ? 3 * path.latency : path.latency;
    inject(other(from), base::to_bytes(packet), delay);
    if (draw() < path.duplicate) inject(other(from), base::to_bytes(packet), delay + path.latency);
    return true;
  }
  bool advance() {
    loop.run_ready();
    if (!pending.empty() && pending.begin()->first <= loop.next_deadline()) {
      loop.now_ = std::max(loop.now_, pending.begin()->first);
      auto next = pending.extract(pending.begin());
      ends[next.mapped().to]->receive(next.mapped().packet);
    } else if (loop.next_deadline() != base::never) {
      loop.now_ = std::max(loop.now_, loop.next_deadline());
      loop.fire_timers();
    } else {
      return !loop.idle();
    }
    loop.run_ready();
    return true;
  }
  double draw() { return std::uniform_real_distribution<double>(0, 1)(chance); }

  std::multimap<base::instant, arriving> pending;
  std::mt19937_64 chance{1};
};

inline base::bytes pattern(std::size_t size, std::uint8_t seed = 0) {
  base::bytes data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 31 + i / 251 + seed);
  return data;
}

// Everything a side received.
struct inbox {
  explicit inbox(sctp::association& from) {
    from.on_message = [this](sctp::message_in m) {
      messages.push_back(std::move(m));
      arrived.pulse();
    };
    from.on_stream_reset = [this](sctp::association::reset what, std::span<const sctp::stream_id> streams) {
      for (const auto s : streams) resets.emplace_back(what, s.value);
      arrived.pulse();
    };
    from.on_too_large = [this](sctp::stream_id s) { too_large.push_back(s.value); };
  }
  async::task<> count(std::size_t n) {
    while (messages.size() < n) co_await arrived.wait();
  }
  async::task<> reset(sctp::association::reset what, std::uint16_t stream) {
    while (std::find(resets.begin(), resets.end(), std::pair{what, stream}) == resets.end()) co_await arrived.wait();
  }
  std::vector<sctp::message_in> messages;
  std::vector<std::pair<sctp::association::reset, std::uint16_t>> resets;
  std::vector<std::uint16_t> too_large;
  async::event arrived;
};

inline sctp::message_out on_stream(std::uint16_t stream, base::byte_view data, std::uint32_t protocol = 53) {
  return {sctp::stream_id(stream), sctp::ppid(protocol), data};
}

}  // namespace strata::test
