// A bounded queue between two fibers: the fast one waits for the slow one. docs/async.md quotes this file.
#include <algorithm>
#include <cstdio>
#include <string>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

std::size_t length(const std::string& s) { return s.size(); }

using lines = async::channel<std::string>;

async::task<> produce(lines& queue) {
  for (int n = 0; n < 100; ++n)
    if (!co_await queue.send("line " + std::to_string(n))) co_return;  // closed: nobody wants more
  queue.close();
}

async::task<int> consume(lines& queue, std::size_t& heaviest) {
  int count = 0;
  while (auto line = co_await queue.receive()) {
    heaviest = std::max(heaviest, queue.weight());
    co_await async::sleep_for(10ms);
    ++count;
  }
  co_return count;  // closed and drained
}

int main() {
  sim::loop loop;
  lines queue(64, length);  // at most 64 bytes wait
  std::size_t heaviest = 0;
  auto [nothing, count] = loop.run([](lines& queue, std::size_t& heaviest) -> async::task<std::tuple<std::monostate, int>> {
    co_return co_await async::all_of(produce(queue), consume(queue, heaviest));
  }(queue, heaviest));
  std::printf("%d lines, never more than %zu bytes in the queue\n", count, heaviest);
  return count == 100 && heaviest <= 64 ? 0 : 1;
}
