// ICMP errors of datagrams that were sent: Linux keeps them, with the address each went to, in the socket's error queue.
#include <time.h>  // before the next, which needs it

#include <linux/errqueue.h>

#include <cerrno>
#include <cstring>

#include "net/asio_private.hpp"

namespace strata::net::detail {
namespace {

base::errc reason(int number) {
  switch (number) {
    case ECONNREFUSED:
    case ENOPROTOOPT: return base::errc::refused;
    case EMSGSIZE: return base::errc::too_large;
    default: return base::errc::unreachable;
  }
}

}  // namespace

void ask_for_errors(int fd, base::ip_family family, bool dont_fragment) {
  const int on = 1;
  if (family == base::ip_family::v4) {
    ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    // PROBE, not DO: what somebody once told the kernel about the path must not stop a probe of the path.
    const int probe = IP_PMTUDISC_PROBE;
    if (dont_fragment) ::setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  } else {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    const int probe = IPV6_PMTUDISC_PROBE;
    if (!dont_fragment) return;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof on);
  }
}

bool is_about_a_datagram(int number) {
  switch (number) {
    case ECONNREFUSED:
    case ENOPROTOOPT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case EOPNOTSUPP:
    case EACCES:
    case EPROTO:
    case EMSGSIZE: return true;
    default: return false;
  }
}

std::optional<socket_error> next_socket_error(int fd) {
  for (;;) {
    sockaddr_storage peer{};
    alignas(cmsghdr) std::array<char, 512> control{};
    msghdr m{};  // the datagram itself, or its beginning, is of no interest
    m.msg_name = &peer;
    m.msg_namelen = sizeof peer;
    m.msg_control = control.data();
    m.msg_controllen = control.size();
    if (::recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      return std::nullopt;
    }
    for (auto* c = CMSG_FIRSTHDR(&m); c != nullptr; c = CMSG_NXTHDR(&m, c)) {
      if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
          !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
        continue;
      sock_extended_err e{};
      std::memcpy(&e, CMSG_DATA(c), sizeof e);
      // What this machine itself refuses is the send's own error, told where it fails.
      if (e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6)
        return socket_error{from_native(peer), reason(static_cast<int>(e.ee_errno))};
    }
  }
}

}  // namespace strata::net::detail
