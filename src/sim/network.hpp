// A network of simulated hosts on one virtual clock. Same seed and same program: same run, byte for byte.
//
//   sim::network net(seed);
//   auto& a = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
//   auto& b = net.add_host("b", {"192.0.2.2"});
//   net.link(a, b, {.latency = 30ms, .loss = 0.02});
//   auto answer = net.run(ask(a, b));
//
// A packet's way is route, impair, deliver (path.cpp); taps and the hash see every step.
// Hosts are reached by address, everything by everything that no router stands between (router.hpp); sockets must be gone
// before the network is.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.hpp"
#include "sim/host.hpp"
#include "sim/impairments.hpp"
#include "sim/loop.hpp"
#include "sim/packet.hpp"
#include "sim/router.hpp"
#include "sim/trace_hash.hpp"

namespace strata::sim {

class network {
 public:
  explicit network(std::uint64_t seed = 1);
  ~network();  // cancels what start() began and waits for its end in virtual time
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  // The addresses live on the interface eth0, beside a loopback interface. "192.0.2.1/24" gives a prefix length.
  // Text that is no address throws. The host's name resolves to its addresses.
  host& add_host(std::string name, std::initializer_list<std::string_view> addresses);
  host& add_host(std::string name, std::initializer_list<base::ip_address> addresses);
  // Hosts and routers behind a router; addresses have to be different within its network only.
  router& add_router(std::string name, router_behaviour b, std::vector<base::ip_address> outside, router* behind = nullptr);
  host& add_host_behind(router& r, std::string name, std::initializer_list<std::string_view> addresses);
  [[nodiscard]] router* find_router(std::string_view name) const;
  void move(host& h, router* behind) { h.set_router(behind); }  // it keeps its addresses, which the caller changes

  void add_name(std::string name, std::vector<base::ip_address> addresses);

  void all_links(const impairments& i);               // links without a setting of their own
  void link(host& a, host& b, const impairments& i);  // both directions
  void link_one_way(host& from, host& to, const impairments& i);

  // Faults. Datagrams vanish; TCP retransmits across a partition until it gives up.
  void partition(host& a, host& b);
  void heal(host& a, host& b);
  void set_down(host& h);  // resets its TCP connections, then neither sends nor receives
  void set_up(host& h);
  // Silence: datagrams to it and from it vanish, its TCP says nothing, and no peer is told (no reset, no ICMP). What its TCP
  // wanted to say leaves when it wakes. Its programs and their timers run on, because all hosts share one loop.
  void set_asleep(host& h);
  void wake(host& h);

  // Called for every packet sent, delivered and dropped; must not touch the network.
  void tap(std::function<void(const packet_event&)> listener) { taps_.push_back(std::move(listener)); }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_.value(); }

  [[nodiscard]] sim::loop& loop() noexcept { return loop_; }
  [[nodiscard]] base::instant now() const noexcept { return loop_.now(); }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

  template <class T>
  T run(async::task<T> t, std::source_location where = std::source_location::current()) {
    if constexpr (std::is_void_v<T>) {
      loop_.run(std::move(t), where);
      collect();
    } else {
      T value = loop_.run(std::move(t), where);
      collect();
      return value;
    }
  }
  void run_for(base::duration d) {
    loop_.run_for(d);
    collect();
  }
  void set_limit(base::duration of_one_run) noexcept { loop_.set_limit(of_one_run); }
  // A root of its own that lives beside the runs; its exception comes out of the run during which it ended.
  void start(async::named name, async::task<> t);

  // What is held right now. All zero once everything has ended and been destroyed.
  struct holdings {
    std::size_t udp_sockets = 0, tcp_streams = 0, listeners = 0, packets = 0, background = 0, fibers = 0, timers = 0;
    [[nodiscard]] bool none() const noexcept {
      return udp_sockets + tcp_streams + listeners + packets + background + fibers + timers == 0;
    }
  };
  [[nodiscard]] holdings held() const;

  // For hosts.
  void transmit(host& from, packet p);
  [[nodiscard]] std::optional<std::vector<base::ip_address>> find_name(const std::string& name) const;

 private:
  struct flight;  // a packet on its way
  using direction = std::pair<std::size_t, std::size_t>;

  host& add(std::unique_ptr<host> h);
  void collect();  // background roots that have ended

  struct destination {
    host* to;
    packet content;  // as it looks there
  };
  [[nodiscard]] std::vector<destination> route(host& from, const packet& p, refusal& dropped);
  [[nodiscard]] host* find_inside(router* network, packet& p, refusal& dropped);
  [[nodiscard]] bool leads_to(const router& r, const base::ip_address& a) const;
  [[nodiscard]] link_direction& link_between(const host& from, const host& to);
  [[nodiscard]] bool blocked(const host& from, const host& to) const;
  void impair(host& from, const packet& sent, const destination& d);
  void schedule(host& from, host& to, packet p, base::instant arrival);
  void arrive(flight& f);
  void retransmit(flight& f);
  void report_unreachable(flight& f);
  void refuse_undeliverable(host& from, const packet& p, const refusal& why);
  void refuse(host& from, const packet& p, base::errc reason, base::instant when);
  void tell(host& from, const packet& p, base::errc what);
  void observe(packet_event::moment what, const packet& p, std::string_view reason = {});

  std::uint64_t seed_;
  sim::loop loop_;
  impairments default_;
  std::vector<std::unique_ptr<host>> hosts_;
  std::vector<std::unique_ptr<router>> routers_;
  std::map<std::string, std::vector<base::ip_address>, std::less<>> names_;
  std::map<direction, link_direction> links_;
  std::set<direction> own_setting_;
  std::set<direction> partitions_;
  std::list<flight> flights_;
  std::list<async::root_task<void>> background_;
  std::vector<std::function<void(const packet_event&)>> taps_;
  trace_hash hash_;
};

}  // namespace strata::sim
