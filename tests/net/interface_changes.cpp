// Changes of a real machine's interfaces, in a network namespace of our own.
#include <doctest/doctest.h>
#include <netinet/in.h>

#include "async/async.hpp"
#include "namespace.hpp"
#include "net/asio_host.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

bool add_address(const char* label, const base::ip_address& a) {
  return test::configure(label, SIOCSIFADDR, [&](ifreq& request) {
    auto& in = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(a.to_v4());
  });
}

// Who waits is told of the change, in good time.
template <class F>
async::task<bool> wakes(net::asio_host& host, F change) {
  co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<bool> {
    int woken = 0;
    async::event all;
    for (int n = 0; n < 2; ++n)
      s.spawn("watch", [&]() -> async::task<> {
        co_await host.interfaces_changed();
        if (++woken == 2) all.set();
      });
    co_await async::yield();
    if (!change()) co_return false;
    auto both = [](async::event& e) -> async::task<> { co_await e.wait(); }(all);
    co_return (co_await async::with_timeout(10s, std::move(both))).has_value();
  });
}

async::task<int> scenario(net::asio_host& host) {
  // The loopback interface has no address before it is up for the first time.
  if (!co_await wakes(host, test::loopback_up)) co_return 1;
  if (host.interfaces().empty()) co_return 2;
  const auto second = base::ip_address::v4(127, 0, 0, 53);
  if (!co_await wakes(host, [&] { return add_address("lo:1", second); })) co_return 3;
  bool there = false;
  for (const auto& i : host.interfaces()) there = there || i.address == second;
  if (!there) co_return 4;
  co_return test::proved;
}

}  // namespace

TEST_CASE("a machine's new address and a link that comes up wake everybody who waits for changes") {
  test::in_a_namespace([] {
    net::asio_host host;
    return host.run(scenario(host));
  });
}

TEST_CASE("waiting for changes can be given up") {
  net::asio_host host;
  host.run([](net::asio_host& h) -> async::task<> {
    for (int n = 0; n < 3; ++n) {
      const auto r = co_await async::with_timeout(1ms, h.interfaces_changed());
      CHECK_FALSE(r.has_value());
    }
  }(host));
}
