// Faults happen to the network and end again. They may overlap: what two of them hold down comes up with the later one.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "simulation/plan.hpp"

namespace strata::simulation {

class faults {
 public:
  struct hooks {
    std::function<void(std::size_t peer, base::duration away)> kill_sidecar;
    std::function<void(base::duration away)> kill_registry, kill_relay;
    std::function<void(std::size_t peer, bool stalled)> stall_program;
    std::function<void(std::string_view text)> note;
  };
  faults(sim::network& n, const plan& p, std::vector<sim::host*> peers, sim::host& registry, sim::host& relay, hooks h);

  async::task<> happen(fault f);  // from its beginning to its end

 private:
  enum class held : std::uint8_t { pair, host, interface, udp, program, sleep };
  void apply(const fault& f, bool begins);
  void pair(sim::host& a, sim::host& b, bool cut);
  void cut_off(sim::host& h, bool cut);
  void move(std::size_t peer, bool begins);
  void change_outside(std::size_t peer);
  void block_udp(std::size_t peer, bool blocked);
  void set_links();
  // True when this is the first to hold it or the last to let go.
  bool changes(held what, std::size_t a, std::size_t b, bool begins);

  sim::network& net_;
  const plan& plan_;
  std::vector<sim::host*> peers_;
  sim::host &registry_, &relay_;
  hooks hooks_;
  std::map<std::tuple<held, std::size_t, std::size_t>, int> holders_;
  std::multiset<double> losses_, latencies_;
  unsigned next_address_ = 1, next_outside_ = 100;
};

}  // namespace strata::simulation
