// strata-sim: whole runs of the stack on a simulated network, named by a seed. Options here; see README.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "simulation/child.hpp"
#include "simulation/replay.hpp"
#include "simulation/shrink.hpp"

using namespace strata;
using namespace strata::simulation;

namespace {

std::string line(const plan& p, const outcome& o) {
  const auto reason = o.failure.substr(0, o.failure.find('\n'));
  return fmt::format("seed {} trace {:016x} {}", p.seed, o.hash, o.ok() ? "ok" : "FAILED " + reason);
}

void report(const plan& p, const outcome& o, bool shrinks) {
  fmt::print("{}\n", line(p, o));
  std::fflush(stdout);
  if (o.ok()) return;
  plan smallest = p;
  outcome last = o;
  if (shrinks)
    smallest.faults = shrink(p.faults, [&](const std::vector<fault>& fewer) {
      plan candidate = p;
      candidate.faults = fewer;
      // The talk goes on for as long as it did: less of it would be another run.
      candidate.talk = std::max(p.talk, p.healed_at());
      const auto again = run_in_child(candidate);
      if (again.kind() != o.kind()) return false;
      last = again;
      smallest.talk = candidate.talk;
      return true;
    });
  fmt::print(stderr, "{}  {} of {} faults are needed; with them:\n  {}\n", describe(smallest), smallest.faults.size(),
             p.faults.size(), last.failure);
}

bool parse_range(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  const auto dots = text.find("..");
  try {
    first = std::stoull(text.substr(0, dots));
    last = dots == text.npos ? first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return first <= last;
}

int hunt(const std::string& name, std::uint64_t first, std::uint64_t last, std::size_t jobs, std::size_t most_failures,
         sabotage broken, bool shrinks) {
  std::size_t done = 0;
  double virtual_seconds = 0;
  ledger::totals sum;
  std::vector<std::pair<plan, outcome>> failures;
  const auto begin = std::chrono::steady_clock::now();
  const auto plan_of = [&](std::size_t n) {
    auto p = *scenario(name, first + n);
    p.broken = broken;
    return p;
  };
  run_all(last - first + 1, jobs, plan_of, [&](std::size_t n, const outcome& o) {
    ++done;
    virtual_seconds += o.virtual_seconds;
    sum.sent += o.messages.sent;
    sum.arrived += o.messages.arrived;
    sum.reported += o.messages.reported;
    if (o.ok()) fmt::print("{}\n", line(plan_of(n), o));
    else failures.emplace_back(plan_of(n), o);
    return failures.size() < most_failures;
  });
  const double real = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::ranges::sort(failures, {}, [](const auto& f) { return f.first.seed; });
  for (const auto& [p, o] : failures) report(p, o, shrinks);
  fmt::print(
      stderr,
      "{} seeds, {} failed; {:.1f} s, {:.0f} seeds an hour; {:.1f} virtual hours; {} messages, {} arrived, {} reported\n", done,
      failures.size(), real, done / real * 3600, virtual_seconds / 3600, sum.sent, sum.arrived, sum.reported);
  return failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("strata-sim: registry, sidecars and their programs on a simulated network; a run is named by its seed");
  app.require_subcommand(1);
  std::string name = "random", broken = "none", trace_file, seeds = "1..100";
  std::uint64_t seed = 1;
  std::size_t jobs = 1, most_failures = 20;
  bool no_shrink = false, verbose = false;
  const auto scenario_check = CLI::IsMember([] {
    std::vector<std::string> names;
    for (const auto n : scenario_names()) names.emplace_back(n);
    return names;
  }());
  const auto break_check = [](const std::string& text) {
    return sabotage_from(text) ? std::string() : "'" + text + "' is no rule that can be broken";
  };

  auto* run_command = app.add_subcommand("run", "one scenario with one seed");
  run_command->add_option("scenario", name, "which")->check(scenario_check)->required();
  run_command->add_option("--seed", seed, "names the run");
  run_command->add_option("--break", broken, "break a rule on purpose, to see that it is noticed")->check(break_check);
  run_command->add_flag("--no-shrink", no_shrink, "do not look for a shorter list of faults");
  run_command->add_flag("--plan", verbose, "say what the plan is");

  auto* hunt_command = app.add_subcommand("hunt", "many seeds, each in a process of its own");
  hunt_command->add_option("--seeds", seeds, "A..B, both included");
  hunt_command->add_option("--jobs", jobs, "runs at a time")->check(CLI::Range(1, 256));
  hunt_command->add_option("--scenario", name, "instead of a random one")->check(scenario_check);
  hunt_command->add_option("--stop-after", most_failures, "failures");
  hunt_command->add_option("--break", broken, "break a rule on purpose")->check(break_check);
  hunt_command->add_flag("--no-shrink", no_shrink, "do not look for shorter lists of faults");

  auto* replay_command = app.add_subcommand("replay", "a seed again, recorded");
  replay_command->add_option("seed", seed, "names the run")->required();
  replay_command->add_option("--scenario", name, "instead of a random one")->check(scenario_check);
  replay_command->add_option("--trace", trace_file, "pcapng file to write; the timeline goes to FILE.txt")->required();
  CLI11_PARSE(app, argc, argv);

  if (*run_command) {
    auto p = *scenario(name, seed);
    p.broken = *sabotage_from(broken);
    if (verbose) fmt::print(stderr, "{}", describe(p));
    const auto o = run_in_child(p);
    report(p, o, !no_shrink);
    return o.ok() ? 0 : 1;
  }
  if (*hunt_command) {
    std::uint64_t first = 0, last = 0;
    if (!parse_range(seeds, first, last)) {
      fmt::print(stderr, "strata-sim: '{}' is no range of seeds; write A..B\n", seeds);
      return 2;
    }
    return hunt(name, first, last, jobs, most_failures, *sabotage_from(broken), !no_shrink);
  }
  const auto p = *scenario(name, seed);
  fmt::print(stderr, "{}", describe(p));
  const auto o = replay(p, trace_file);
  if (!o) {
    fmt::print(stderr, "strata-sim: cannot write {}: {}\n", trace_file, o.error().message());
    return 2;
  }
  fmt::print("{}\n", line(p, *o));
  return o->ok() ? 0 : 1;
}
