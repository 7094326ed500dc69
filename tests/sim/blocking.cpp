#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;

TEST_CASE("blocking work in the simulator takes no time and is done where it is awaited") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  net.run([](sim::host& a) -> async::task<> {
    const auto before = a.now();
    int runs = 0;
    co_await a.run_blocking([&] { ++runs; });
    co_await a.run_blocking([&] { ++runs; });
    CHECK(runs == 2);
    CHECK(a.now() == before);
  }(a));
}
