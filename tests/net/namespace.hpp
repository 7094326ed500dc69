// A network namespace of a test's own, where it may configure what it likes.
#pragma once

#include <doctest/doctest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace strata::test {

constexpr int proved = 0, no_namespace = 77;

// Runs f, which returns `proved` or the number of the step that went wrong, in a child process.
template <class F>
void in_a_namespace(F f) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) ::_exit(no_namespace);
    ::_exit(f());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == no_namespace) {
    MESSAGE("skipped: this machine lets nobody make a network namespace");
    return;
  }
  CHECK(WEXITSTATUS(status) == proved);
}

template <class F>
bool configure(const char* interface, unsigned long what, F fill) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, interface);
  fill(request);
  const bool ok = ::ioctl(fd, what, &request) == 0;
  ::close(fd);
  return ok;
}

inline bool loopback_up() {
  return configure("lo", SIOCSIFFLAGS, [](ifreq& r) { r.ifr_flags = IFF_UP | IFF_RUNNING; });
}

}  // namespace strata::test
