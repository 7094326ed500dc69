// Byte streams: TCP and Unix-domain sockets, connecting and listening.
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

#include "net/asio_private.hpp"

namespace strata::net::detail {
namespace {

class asio_stream final : public stream {
 public:
  asio_stream(asio_loop& loop, int fd) : descriptor_(loop.io, fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // refused by Unix sockets, which need none
  }

  async::task<result<std::size_t>> read(base::byte_span into) override {
    for (;;) {
      if (closed_) co_return base::fail(base::errc::closed);
      const auto n = ::recv(descriptor_.native_handle(), into.data(), into.size(), 0);
      if (n >= 0) co_return static_cast<std::size_t>(n);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return base::fail(from_errno(errno));
      auto [ec] = co_await readable(descriptor_);
      if (ec && !closed_) co_return base::fail(base::error(std::error_code(ec.value(), std::generic_category())));
    }
  }

  async::task<result<void>> write(base::byte_view data) override {
    while (!data.empty()) {
      if (closed_) co_return base::fail(base::errc::closed);
      const auto n = ::send(descriptor_.native_handle(), data.data(), data.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        data = data.subspan(static_cast<std::size_t>(n));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return base::fail(from_errno(errno));
      auto [ec] = co_await writable(descriptor_);
      if (ec && !closed_) co_return base::fail(base::error(std::error_code(ec.value(), std::generic_category())));
    }
    co_return result<void>();
  }

  async::task<result<void>> finish() override {
    if (closed_) co_return base::fail(base::errc::closed);
    ::shutdown(descriptor_.native_handle(), SHUT_WR);
    co_return result<void>();
  }

  void close() noexcept override {
    if (closed_) return;
    closed_ = true;
    // Not closed yet: the number must not be given to another socket while an operation may still use it.
    ::shutdown(descriptor_.native_handle(), SHUT_RDWR);
    asio::error_code ignored;
    descriptor_.cancel(ignored);
  }

  base::endpoint local_endpoint() const override { return name(::getsockname); }
  base::endpoint remote_endpoint() const override { return name(::getpeername); }

  std::optional<peer_credentials> credentials() const override {
    ucred c{};
    socklen_t length = sizeof c;
    sockaddr_storage s{};
    socklen_t n = sizeof s;
    const int fd = const_cast<descriptor&>(descriptor_).native_handle();
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&s), &n) != 0 || s.ss_family != AF_UNIX) return std::nullopt;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &length) != 0) return std::nullopt;
    return peer_credentials{c.uid, c.gid, c.pid};
  }

 private:
  base::endpoint name(int (*get)(int, sockaddr*, socklen_t*)) const {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    if (get(const_cast<descriptor&>(descriptor_).native_handle(), reinterpret_cast<sockaddr*>(&s), &length) != 0) return {};
    return from_native(s);
  }

  descriptor descriptor_;
  bool closed_ = false;
};

class asio_listener final : public listener {
 public:
  asio_listener(asio_loop& loop, int fd, std::string unlink_path)
      : loop_(loop), descriptor_(loop.io, fd), path_(std::move(unlink_path)) {}
  ~asio_listener() override {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  async::task<result<std::unique_ptr<stream>>> accept() override {
    for (;;) {
      const int fd = ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) co_return make_stream(loop_, fd);
      // Connections that died in the queue are nobody's trouble; no descriptors left is, but it passes.
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
      if (errno != EAGAIN) co_return base::fail(from_errno(errno));
      auto [ec] = co_await readable(descriptor_);
      if (ec) co_return base::fail(base::errc::closed);
    }
  }

  base::endpoint local_endpoint() const override {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    ::getsockname(const_cast<descriptor&>(descriptor_).native_handle(), reinterpret_cast<sockaddr*>(&s), &length);
    return from_native(s);
  }

 private:
  asio_loop& loop_;
  descriptor descriptor_;
  std::string path_;
};

}  // namespace

std::unique_ptr<stream> make_stream(asio_loop& loop, int fd) { return std::make_unique<asio_stream>(loop, fd); }

result<std::unique_ptr<listener>> make_listener(asio_loop& loop, int fd, std::string unlink_path) {
  return std::make_unique<asio_listener>(loop, fd, std::move(unlink_path));
}

async::task<result<std::unique_ptr<stream>>> connect_stream(asio_loop& loop, int family, socket_address to, tcp_options o) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return base::fail(from_errno(errno));
  descriptor connecting(loop.io, fd);
  const int on = 1;
  if (o.share_port) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (o.local) {
    // A port is chosen when the peer is known: ports that are in use towards others will do.
    if (o.local->port == 0) ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const auto from = to_native(*o.local);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&from.storage), from.length) != 0) co_return base::fail(from_errno(errno));
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0) {
    if (errno != EINPROGRESS && errno != EAGAIN) co_return base::fail(from_errno(errno));
    auto [ec] = co_await writable(connecting);
    int trouble = 0;
    socklen_t length = sizeof trouble;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &trouble, &length);
    if (ec || trouble != 0) co_return base::fail(from_errno(trouble != 0 ? trouble : ECANCELED));
  }
  co_return make_stream(loop, connecting.release());
}

}  // namespace strata::net::detail
