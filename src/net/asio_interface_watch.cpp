#include "net/asio_interface_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "async/sleep.hpp"

namespace strata::net::detail {
namespace {

constexpr base::duration look_again = std::chrono::seconds(5);  // in a sandbox without netlink

int open_netlink() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -1;
  sockaddr_nl at{};
  at.nl_family = AF_NETLINK;
  at.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

void interface_watch::open() {
  opened_ = true;
  if (const int fd = open_netlink(); fd >= 0) netlink_.emplace(loop_.io, fd);
}

void interface_watch::listen() {
  if (listening_) return;
  listening_ = true;
  // The watch goes before the loop does, and its descriptor with it; nothing is called after that.
  netlink_->async_wait(descriptor::wait_read, [this](asio::error_code ec) {
    listening_ = false;
    if (ec || !drain()) netlink_.reset();
    notified_.pulse();
  });
}

// What the messages say does not matter, read_interfaces() tells all: a message says that something was said. That also
// makes ENOBUFS harmless, by which the kernel says that it had more to say than the socket could hold.
bool interface_watch::drain() {
  std::array<char, 8192> ignored;
  for (;;) {
    if (::recv(netlink_->native_handle(), ignored.data(), ignored.size(), MSG_DONTWAIT) >= 0) continue;
    if (errno == EAGAIN) return true;
    if (errno != EINTR && errno != ENOBUFS) return false;
  }
}

async::task<> interface_watch::changed() {
  if (!opened_) open();
  const auto before = read_interfaces();
  // The kernel also speaks when nothing changes that interfaces() tells: every router advertisement prolongs addresses.
  do {
    if (netlink_) {
      listen();
      co_await notified_.wait();
    } else {
      co_await async::sleep_for(look_again);
    }
  } while (read_interfaces() == before);
}

}  // namespace strata::net::detail
