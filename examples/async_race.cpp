// Limits and races. docs/async.md quotes this file.
#include <cstdio>
#include <string>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

async::task<base::result<std::string>> ask(std::string server, base::duration answers_after) {
  co_await async::sleep_for(answers_after);
  co_return "answer of " + server;
}

async::task<std::string> ask_patiently() {
  auto answer = co_await async::with_timeout(2s, ask("sleepy", 1h));
  if (!answer) co_return answer.error().message();  // base::errc::timed_out
  co_return *answer;
}

async::task<std::string> ask_both() {
  auto [east, west] = co_await async::first_of(ask("east", 80ms), ask("west", 30ms));
  // Both are set when both delivered; the left one counts as the winner.
  if (east) co_return **east;
  co_return **west;
}

async::task<bool> wait_unless_closed(async::event& arrived, async::event& closed) {
  const auto wait = [](async::event& e) -> async::task<> { co_await e.wait(); };
  auto [got_it, gone] = co_await async::first_of(wait(arrived), wait(closed));
  co_return got_it.has_value();
}

int main() {
  sim::loop loop;
  const auto patient = loop.run(ask_patiently());
  const auto quickest = loop.run(ask_both());
  async::event arrived, closed;
  closed.set();
  const bool got = loop.run(wait_unless_closed(arrived, closed));
  std::printf("%s; %s; %s\n", patient.c_str(), quickest.c_str(), got ? "arrived" : "closed");
  return quickest == "answer of west" && !got ? 0 : 1;
}
