// A program beside a sidecar: says something to somebody now and then, hears what the others say, and keeps the books.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "async/async.hpp"
#include "mesh/ipc_client.hpp"
#include "sim/generator.hpp"
#include "sim/host.hpp"
#include "sim/trace_hash.hpp"
#include "simulation/ledger.hpp"
#include "simulation/plan.hpp"

namespace strata::simulation {

class program {
 public:
  program(sim::host& h, std::size_t self, const plan& p, ledger& l);

  async::task<> run();  // attaches as often as it has to, until cancelled
  void talk(bool yes) { talking_ = yes; }
  // Reads nothing of what its sidecar tells it, until it is told to go on.
  void stall(bool yes) {
    stalled_ = yes;
    went_on_.pulse();
  }
  // Says something to that peer as soon as it can. Gives the number that the message will have been given.
  async::task<std::size_t> say(std::size_t to);
  [[nodiscard]] bool attached() const noexcept { return attached_; }
  [[nodiscard]] std::uint64_t heard_hash() const noexcept { return heard_.value(); }

  static std::string local_path(std::string_view name) { return "/run/" + std::string(name); }

 private:
  struct wish {
    std::size_t to;
    std::optional<std::size_t> number;
  };
  async::task<> speak(mesh::ipc_client& c);
  async::task<> hear(mesh::ipc_client& c);
  async::task<bool> send(mesh::ipc_client& c, std::size_t to, std::size_t number);
  void took(const base::json& payload);
  void took_in(std::size_t from, std::size_t number, bool whole);
  [[nodiscard]] std::string content(std::size_t from, std::size_t to, std::size_t number) const;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

  sim::host& host_;
  std::size_t self_;
  const plan& plan_;
  ledger& ledger_;
  sim::generator chance_;
  sim::trace_hash heard_;
  bool talking_ = false, attached_ = false, stalled_ = false;
  std::deque<std::shared_ptr<wish>> wishes_;
  async::event wished_, granted_, went_on_;
  std::optional<std::size_t> held_back_;  // sabotage::swap
};

}  // namespace strata::simulation
