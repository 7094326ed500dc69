// A process for each run: usrsctp is one for a process, and a run that crashes is a result like any other.
#pragma once

#include <functional>
#include <span>

#include "simulation/run.hpp"

namespace strata::simulation {

// Carries out each plan in a process of its own, at most `jobs` at a time, and hands over outcomes as they come, with the
// index of their plan. A crash is the failure "crash: ...", a run of more than real_limit "hang: ...".
// next gives the plan of an index; done says false when no more shall be begun.
void run_all(std::size_t count, std::size_t jobs, const std::function<plan(std::size_t)>& next,
             const std::function<bool(std::size_t, const outcome&)>& done,
             std::chrono::seconds real_limit = std::chrono::seconds(120));

outcome run_in_child(const plan& p);

}  // namespace strata::simulation
