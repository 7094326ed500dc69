// One run: a registry, sidecars, their programs and a network, real code from top to bottom, on one virtual clock. The
// outcome is a function of the plan. usrsctp is one for each process, so a process carries out one plan (see child.hpp).
#pragma once

#include <cstdint>
#include <string>

#include "simulation/ledger.hpp"
#include "simulation/plan.hpp"
#include "trace/sink.hpp"

namespace strata::simulation {

struct outcome {
  std::uint64_t hash = 0;
  std::string failure;  // "kind: what happened"; empty when every rule was kept
  ledger::totals messages;
  double virtual_seconds = 0;
  double linked_again = 0;  // seconds from the end of the last fault

  [[nodiscard]] bool ok() const noexcept { return failure.empty(); }
  [[nodiscard]] std::string_view kind() const noexcept { return std::string_view(failure).substr(0, failure.find(':')); }
};

// sink: hears all layers of all hosts; the connection of an event is "host" or "host:peer".
outcome run(const plan& p, trace::sink* sink = nullptr);

}  // namespace strata::simulation
