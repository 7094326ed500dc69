// Changes of a real machine's interfaces, in a network namespace of our own.
#include <doctest/doctest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "async/async.hpp"
#include "net/asio_host.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

constexpr int proved = 0, no_namespace = 77;

bool set_flags(short flags) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = flags;
  const bool ok = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return ok;
}

bool add_address(const char* label, const base::ip_address& a) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, label);
  auto& in = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(a.to_v4());
  const bool ok = ::ioctl(fd, SIOCSIFADDR, &request) == 0;
  ::close(fd);
  return ok;
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
  if (!co_await wakes(host, [] { return set_flags(IFF_UP | IFF_RUNNING); })) co_return 1;
  if (host.interfaces().empty()) co_return 2;
  const auto second = base::ip_address::v4(127, 0, 0, 53);
  if (!co_await wakes(host, [&] { return add_address("lo:1", second); })) co_return 3;
  bool there = false;
  for (const auto& i : host.interfaces()) there = there || i.address == second;
  if (!there) co_return 4;
  co_return proved;
}

int in_a_namespace() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return no_namespace;
  net::asio_host host;
  return host.run(scenario(host));
}

}  // namespace

TEST_CASE("a machine's new address and a link that comes up wake everybody who waits for changes") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(in_a_namespace());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == no_namespace) {
    MESSAGE("skipped: this machine lets nobody make a network namespace");
    return;
  }
  CHECK(WEXITSTATUS(status) == proved);
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
