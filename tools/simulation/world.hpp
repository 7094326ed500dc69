// The machines of a run and what lives on them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "mesh/node.hpp"
#include "registry/service.hpp"
#include "sim/network.hpp"
#include "simulation/enemy.hpp"
#include "simulation/faults.hpp"
#include "simulation/ledger.hpp"
#include "simulation/plan.hpp"
#include "simulation/program.hpp"
#include "simulation/wire_rules.hpp"
#include "trace/sink.hpp"
#include "turn/server/relay_server.hpp"

namespace strata::simulation {

// Puts the name of a host before whose events they are. Of packets it passes on what is sent: a capture of all hosts
// would show each twice.
class host_sink final : public trace::sink {
 public:
  host_sink(trace::sink& to, std::string host) : to_(to), host_(std::move(host)) {}
  void on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) override;

 private:
  trace::sink& to_;
  std::string host_;
};

// A daemon that is killed and started again: the instance, and the orders it is under.
template <class Daemon>
struct supervised {
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<trace::sink> sink;
  async::event killed;
  base::duration away{};
  bool stopping = false, ended = false;
};

class world {
 public:
  world(const plan& p, trace::sink* sink);
  ~world();

  // From the start to the last check; what broke, or nothing.
  async::task<std::string> live();
  // After live(): nothing is held any more.
  [[nodiscard]] std::string left_behind();
  // Of all packets and of all that the programs heard.
  [[nodiscard]] std::uint64_t hash() const;

  sim::network net;
  ledger books;
  wire_rules wires;
  double linked_again = 0;

 private:
  struct peer {
    sim::host& host;
    supervised<mesh::node> sidecar;
    std::unique_ptr<simulation::program> program;
  };
  async::task<std::string> story(async::scope& s);
  async::task<> keep_registry();
  async::task<> keep_relay();
  async::task<> keep_sidecar(peer& p);
  async::task<bool> all_linked(base::duration patience);
  async::task<std::string> best_tiers();
  async::task<std::string> relay_forgets();
  async::task<std::string> talk_again(std::size_t from, std::size_t to);
  async::task<std::string> everybody_talks_again();
  async::task<> watch();
  async::task<bool> stop_everything();
  void break_something(async::scope& s);
  [[nodiscard]] bool linked() const;
  [[nodiscard]] std::string worse_than_possible() const;
  [[nodiscard]] std::string who_is_apart() const;
  [[nodiscard]] std::string broken() const;
  void note(std::string_view text);

  const plan& plan_;
  trace::sink* sink_;
  std::string keys_file_;
  sim::host &registry_host_, &relay_host_;
  supervised<registry::service> registry_;
  supervised<turn::server::relay_server> relay_;
  std::vector<std::unique_ptr<peer>> peers_;
  std::vector<std::unique_ptr<enemy>> enemies_;
  std::optional<simulation::faults> faults_;
  bool watched_ = true;
  std::string apart_;                        // while nothing was wrong with the network
  std::unique_ptr<net::udp_socket> leaked_;  // sabotage
};

}  // namespace strata::simulation
