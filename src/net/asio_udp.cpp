// Datagrams in batches. Receiving: recvmmsg with UDP_GRO, super-packets cut apart. Sending: an outbox that leaves at
// the end of the loop's turn; runs of equal size to one peer leave as one segmented send (UDP_SEGMENT), which costs a
// tenth per byte, the rest by sendmmsg.
#include <netinet/udp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/asio_private.hpp"

namespace strata::net::detail {
namespace {

constexpr std::size_t batch = 16;                // receive calls' worth of buffers
constexpr std::size_t largest_datagram = 65536;  // also the largest super-packet
constexpr std::size_t most_segments = 64;        // UDP_MAX_SEGMENTS of older kernels
constexpr std::size_t largest_super = 65000;
constexpr std::size_t send_batch = 64;

class asio_udp_socket final : public udp_socket, private async::ready_item {
 public:
  asio_udp_socket(asio_loop& loop, int fd, const udp_options& o)
      : loop_(loop),
        descriptor_(loop.io, fd),
        outbox_limit_(o.outbox_bytes),
        dont_fragment_(o.dont_fragment),
        buffers_(new std::uint8_t[batch * largest_datagram]) {
    const int on = 1;
    gro_ = ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
  }
  ~asio_udp_socket() override {
    flush();
    if (flush_posted_) loop_.withdraw(*this);
  }

  base::endpoint local_endpoint() const override {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    ::getsockname(const_cast<descriptor&>(descriptor_).native_handle(), reinterpret_cast<sockaddr*>(&s), &length);
    return from_native(s);
  }

  async::task<result<std::span<const datagram>>> receive() override {
    for (bool woken = false;; woken = true) {
      const int n = receive_batch();
      if (n > 0) co_return std::span<const datagram>(arrived_);
      if (n < 0) co_return base::fail(from_errno(-n));
      if (woken || told_of_errors_) read_errors();  // no datagram: that is why
      auto [ec] = co_await readable(descriptor_);
      if (ec) co_return base::fail(base::errc::closed);
    }
  }

  bool send(const base::endpoint& to, base::byte_view payload) override {
    if (outbox_.size() + payload.size() > outbox_limit_ || payload.size() > largest_super) {
      ++counters_.dropped_outbox_full;
      return false;
    }
    queued_.push_back({to, outbox_.size(), payload.size()});
    base::append(outbox_, payload);
    if (!flush_posted_) {
      flush_posted_ = true;
      loop_.post_late(*this);
    }
    return true;
  }

  std::size_t queued_bytes() const override { return outbox_.size() - sent_bytes_; }
  const udp_counters& counters() const override { return counters_; }

 private:
  struct queued {
    base::endpoint to;
    std::size_t at, size;
  };

  void run() override {
    flush_posted_ = false;
    flush();
  }

  // >0: arrived_ is filled; 0: nothing there; <0: errno
  int receive_batch() {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> parts{};
    std::array<sockaddr_storage, batch> names{};
    std::array<std::array<char, CMSG_SPACE(sizeof(int))>, batch> controls{};
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {buffers_.get() + i * largest_datagram, largest_datagram};
      auto& h = messages[i].msg_hdr;
      h.msg_iov = &parts[i];
      h.msg_iovlen = 1;
      h.msg_name = &names[i];
      h.msg_namelen = sizeof names[i];
      h.msg_control = controls[i].data();
      h.msg_controllen = controls[i].size();
    }
    int n;
    do {
      n = ::recvmmsg(descriptor_.native_handle(), messages.data(), batch, MSG_DONTWAIT, nullptr);
      told_of_errors_ = told_of_errors_ || (n < 0 && is_about_a_datagram(errno));
    } while (n < 0 && (errno == EINTR || is_about_a_datagram(errno)));
    if (n < 0) return errno == EAGAIN ? 0 : -errno;
    arrived_.clear();
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const base::byte_view all(static_cast<const std::uint8_t*>(parts[i].iov_base), messages[i].msg_len);
      std::size_t segment = all.size();
      for (auto* c = CMSG_FIRSTHDR(&messages[i].msg_hdr); c != nullptr; c = CMSG_NXTHDR(&messages[i].msg_hdr, c))
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
          int size = 0;
          std::memcpy(&size, CMSG_DATA(c), sizeof size);
          if (size > 0) segment = static_cast<std::size_t>(size);
        }
      const auto peer = from_native(names[i]);
      counters_.received_bytes += all.size();
      if (all.empty()) arrived_.push_back({peer, all});
      for (std::size_t at = 0; at < all.size(); at += segment)
        arrived_.push_back({peer, all.subspan(at, std::min(segment, all.size() - at))});
    }
    counters_.received += arrived_.size();
    return static_cast<int>(arrived_.size());
  }

  // Sends what it can; the rest stays for when the kernel has room again.
  void flush() {
    while (next_ < queued_.size()) {
      std::array<mmsghdr, send_batch> messages{};
      std::array<iovec, send_batch> parts{};
      std::array<socket_address, send_batch> names;
      std::array<std::array<char, CMSG_SPACE(sizeof(std::uint16_t))>, send_batch> controls{};
      std::array<std::size_t, send_batch> taken{};
      std::size_t count = 0;
      for (std::size_t i = next_; i < queued_.size() && count < send_batch; ++count) {
        const std::size_t run = segment_ ? run_length(i) : 1;
        const auto& q = queued_[i];
        const auto& last = queued_[i + run - 1];
        parts[count] = {outbox_.data() + q.at, last.at + last.size - q.at};
        names[count] = to_native(q.to);
        auto& h = messages[count].msg_hdr;
        h.msg_iov = &parts[count];
        h.msg_iovlen = 1;
        h.msg_name = &names[count].storage;
        h.msg_namelen = names[count].length;
        if (run > 1) {
          h.msg_control = controls[count].data();
          h.msg_controllen = controls[count].size();
          auto* c = CMSG_FIRSTHDR(&h);
          c->cmsg_level = IPPROTO_UDP;
          c->cmsg_type = UDP_SEGMENT;
          c->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
          const auto size = static_cast<std::uint16_t>(q.size);
          std::memcpy(CMSG_DATA(c), &size, sizeof size);
        }
        taken[count] = run;
        i += run;
      }
      const int n = ::sendmmsg(descriptor_.native_handle(), messages.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
      if (n > 0) {
        for (int m = 0; m < n; ++m) consume(taken[static_cast<std::size_t>(m)], true);
        continue;
      }
      const int trouble = errno;
      if (trouble == EINTR || trouble == ECONNREFUSED) continue;    // ICMP of an earlier send
      if (is_about_a_datagram(trouble) && read_errors()) continue;  // the same
      errno = trouble;
      if (errno == EAGAIN || errno == ENOBUFS) return wait_for_room();
      if (taken[0] > 1 && (errno == EIO || errno == EINVAL || errno == EMSGSIZE)) {
        segment_ = false;  // this path cannot segment
        continue;
      }
      const auto to = queued_[next_].to;
      consume(taken[0], false);
      if (trouble == EMSGSIZE) report(to, base::errc::too_large);
      if (trouble == ENETUNREACH || trouble == EHOSTUNREACH) report(to, base::errc::unreachable);
    }
    queued_.clear();
    outbox_.clear();
    next_ = sent_bytes_ = 0;
  }

  // How many datagrams from i on can leave as one segmented send: same peer, same size, only the last may be shorter.
  std::size_t run_length(std::size_t i) const {
    const auto& first = queued_[i];
    std::size_t run = 1, bytes = first.size;
    if (first.size == 0) return 1;
    while (i + run < queued_.size() && run < most_segments) {
      const auto& q = queued_[i + run];
      if (q.to != first.to || q.size > first.size || q.size == 0 || bytes + q.size > largest_super) break;
      bytes += q.size;
      ++run;
      if (q.size < first.size) break;
    }
    return run;
  }

  void consume(std::size_t run, bool sent) {
    for (std::size_t k = 0; k < run; ++k, ++next_) {
      sent_bytes_ += queued_[next_].size;
      if (sent) {
        ++counters_.sent;
        counters_.sent_bytes += queued_[next_].size;
      } else {
        ++counters_.dropped_by_kernel;
      }
    }
  }

  void wait_for_room() {
    if (waiting_) return;
    waiting_ = true;
    // The socket may be gone when the kernel has room; the flag outlives it.
    descriptor_.async_wait(descriptor::wait_write, [alive = std::weak_ptr<asio_udp_socket*>(self_)](asio::error_code ec) {
      const auto self = alive.lock();
      if (!self || ec) return;
      (*self)->waiting_ = false;
      (*self)->read_errors();
      (*self)->flush();
    });
  }

  // True: the network had something to say of what was sent before.
  bool read_errors() {
    told_of_errors_ = false;
    std::size_t count = 0;
    while (const auto e = next_socket_error(descriptor_.native_handle())) {
      ++count;
      if (e->why != base::errc::too_large || dont_fragment_) report(e->peer, e->why);
    }
    return count != 0;
  }

  void report(const base::endpoint& peer, base::errc why) { report_unreachable(counters_, peer, why); }

  asio_loop& loop_;
  descriptor descriptor_;
  std::size_t outbox_limit_;
  bool dont_fragment_;
  std::unique_ptr<std::uint8_t[]> buffers_;
  std::vector<datagram> arrived_;
  base::bytes outbox_;
  std::vector<queued> queued_;
  std::size_t next_ = 0, sent_bytes_ = 0;
  bool gro_ = false, segment_ = true, flush_posted_ = false, waiting_ = false, told_of_errors_ = false;
  udp_counters counters_;
  std::shared_ptr<asio_udp_socket*> self_ = std::make_shared<asio_udp_socket*>(this);
};

int open_socket(const base::endpoint& local, const udp_options& o) {
  const int fd = ::socket(local.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int size = static_cast<int>(o.receive_buffer);
  ask_for_errors(fd, local.address.family(), o.dont_fragment);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (local.address.is_v6()) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (o.reuse_address) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  const auto at = to_native(local);
  bool ok = ::bind(fd, reinterpret_cast<const sockaddr*>(&at.storage), at.length) == 0;
  if (ok && o.multicast_group && o.multicast_group->is_v4()) {
    ip_mreqn group{};
    group.imr_multiaddr.s_addr = htonl(o.multicast_group->to_v4());
    group.imr_ifindex = static_cast<int>(o.multicast_interface);
    ok = ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) == 0 &&
         ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) == 0;
  } else if (ok && o.multicast_group) {
    ipv6_mreq group{};
    std::memcpy(group.ipv6mr_multiaddr.s6_addr, o.multicast_group->octets().data(), 16);
    group.ipv6mr_interface = o.multicast_interface;
    ok = ::setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0 &&
         ::setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &o.multicast_interface, sizeof o.multicast_interface) == 0;
  }
  if (ok) return fd;
  const int trouble = errno;
  ::close(fd);
  errno = trouble;
  return -1;
}

}  // namespace

result<std::unique_ptr<udp_socket>> make_udp_socket(asio_loop& loop, const base::endpoint& local, const udp_options& o) {
  const int fd = open_socket(local, o);
  if (fd < 0) return base::fail(from_errno(errno));
  return std::make_unique<asio_udp_socket>(loop, fd, o);
}

}  // namespace strata::net::detail
