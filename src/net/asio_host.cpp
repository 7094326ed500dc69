#include "net/asio_host.hpp"

#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "net/asio_blocking.hpp"
#include "net/asio_interface_watch.hpp"
#include "net/asio_private.hpp"

namespace strata::net {

using namespace detail;

struct asio_host::implementation {
  explicit implementation(asio_options o) : options(o) {}
  asio_options options;
  asio_loop loop;
  interface_watch watch{loop};
  blocking_worker worker{loop};  // last: its thread has ended before the loop goes
};

base::instant asio_loop::now() const {
  return base::instant(std::chrono::duration_cast<base::duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

asio_host::asio_host(asio_options o) : impl_(std::make_unique<implementation>(o)) {}
asio_host::~asio_host() = default;

async::loop& asio_host::loop() { return impl_->loop; }

void asio_host::drive(const std::function<bool()>& done) {
  auto& loop = impl_->loop;
  auto& io = loop.io;
  io.restart();  // it stops for good when an earlier run has left it without work
  const auto keep_alive = asio::make_work_guard(io);
  for (;;) {
    loop.run_ready();
    if (done()) return;
    loop.fire_timers();
    if (!loop.idle()) {
      io.poll();
      continue;
    }
    if (impl_->options.spin > base::duration::zero()) {
      const auto until = std::min(loop.now() + impl_->options.spin, loop.next_deadline());
      while (loop.idle() && loop.now() < until) io.poll();
      if (!loop.idle()) continue;
    }
    const auto deadline = loop.next_deadline();
    if (deadline == base::never) {
      io.run_one();
    } else {
      const auto left = deadline - loop.now();
      if (left > base::duration::zero()) io.run_one_for(left);
    }
    io.poll();
  }
}

void asio_host::post(std::function<void()> f) { asio::post(impl_->loop.io, std::move(f)); }

namespace {

class asio_signals final : public signal_watch {
 public:
  asio_signals(asio::io_context& io, const std::vector<int>& signals) : set_(io) {
    for (const int s : signals) set_.add(s);
  }
  async::task<int> next() override {
    auto [ec, number] = co_await asio_await<int>([this](auto handler) { set_.async_wait(std::move(handler)); });
    co_return number;
  }

 private:
  asio::signal_set set_;
};

}  // namespace

std::unique_ptr<signal_watch> asio_host::watch_signals(const std::vector<int>& signals) {
  return std::make_unique<asio_signals>(impl_->loop.io, signals);
}

base::wall_time asio_host::wall_now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

void asio_host::random(base::byte_span out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno != EINTR) throw std::runtime_error("the system gives no random numbers");
    if (n > 0) out = out.subspan(static_cast<std::size_t>(n));
  }
}

result<std::unique_ptr<udp_socket>> asio_host::bind_udp(const base::endpoint& local, udp_options o) {
  return make_udp_socket(impl_->loop, local, o);
}

async::task<result<std::unique_ptr<stream>>> asio_host::connect_tcp(base::endpoint remote, tcp_options o) {
  co_return co_await connect_stream(impl_->loop, remote.address.is_v4() ? AF_INET : AF_INET6, to_native(remote), o);
}

result<std::unique_ptr<listener>> asio_host::listen_tcp(const base::endpoint& local, tcp_options o) {
  const int fd = ::socket(local.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::fail(from_errno(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (o.share_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (local.address.is_v6()) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const auto at = to_native(local);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&at.storage), at.length) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    const int trouble = errno;
    ::close(fd);
    return base::fail(from_errno(trouble));
  }
  return make_listener(impl_->loop, fd, {});
}

namespace {

result<socket_address> local_address(const std::string& path) {
  socket_address a;
  auto& un = reinterpret_cast<sockaddr_un&>(a.storage);
  if (path.empty() || path.size() >= sizeof un.sun_path)
    return base::fail(base::errc::invalid, sizeof un.sun_path - 1, "a path of 1 to 107 bytes");
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  a.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return a;
}

// A socket file that nobody listens on any more is in the way; one that somebody does is not ours to remove.
result<void> remove_stale(const std::string& path, const socket_address& at) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return base::fail(base::errc::in_use, base::error::nowhere, "a path that is no other kind of file");
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return base::fail(from_errno(errno));
  const bool alive = ::connect(probe, reinterpret_cast<const sockaddr*>(&at.storage), at.length) == 0 || errno == EAGAIN;
  ::close(probe);
  if (alive) return base::fail(base::errc::in_use);
  ::unlink(path.c_str());
  return {};
}

}  // namespace

async::task<result<std::unique_ptr<stream>>> asio_host::connect_local(std::string path) {
  const auto at = local_address(path);
  if (!at) co_return base::fail(at.error());
  co_return co_await connect_stream(impl_->loop, AF_UNIX, *at);
}

result<std::unique_ptr<listener>> asio_host::listen_local(const std::string& path) {
  const auto at = local_address(path);
  if (!at) return base::fail(at.error());
  if (auto free = remove_stale(path, *at); !free) return base::fail(free.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::fail(from_errno(errno));
  // The file gets its name when somebody listens: whoever sees it can connect. Where the longer name has no room it appears
  // a moment earlier.
  const auto unready = local_address(path + ".new");
  const auto& first = unready ? *unready : *at;
  if (unready) ::unlink((path + ".new").c_str());
  // The mode must be right from the file's first moment: umask, not a later chmod.
  const auto old = ::umask(0177);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&first.storage), first.length) == 0;
  const int trouble = errno;
  ::umask(old);
  if (!bound || ::listen(fd, SOMAXCONN) != 0 || (unready && ::rename((path + ".new").c_str(), path.c_str()) != 0)) {
    const int why = bound ? errno : trouble;
    ::close(fd);
    return base::fail(from_errno(why));
  }
  return make_listener(impl_->loop, fd, path);
}

async::task<result<std::vector<base::ip_address>>> asio_host::resolve(std::string name) {
  std::vector<base::ip_address> addresses;
  if (const auto literal = base::ip_address::parse(name)) {
    addresses.push_back(*literal);
    co_return addresses;
  }
  if (name.empty() || name.size() > 253)
    co_return base::fail(base::errc::invalid, base::error::nowhere, "a name of 1 to 253 characters");
  asio::ip::tcp::resolver resolver(impl_->loop.io);
  auto [ec, found] = co_await asio_await<asio::ip::tcp::resolver::results_type>(
      [&](auto handler) { resolver.async_resolve(name, "", std::move(handler)); });
  if (ec) co_return base::fail(base::errc::not_found, base::error::nowhere, "a name that resolves");
  for (const auto& entry : found) {
    const auto a = entry.endpoint().address();
    const auto address = a.is_v4()
                             ? base::ip_address::v4(a.to_v4().to_uint())
                             : base::ip_address::v6(a.to_v6().to_bytes(), static_cast<std::uint32_t>(a.to_v6().scope_id()));
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) co_return base::fail(base::errc::not_found);
  co_return addresses;
}

std::vector<interface_address> asio_host::interfaces() { return read_interfaces(); }
std::vector<base::ip_address> asio_host::gateways() { return read_gateways(); }

async::task<> asio_host::interfaces_changed() { return impl_->watch.changed(); }

async::task<> asio_host::run_blocking(std::function<void()> f) { co_await blocking_call(impl_->worker, std::move(f)); }

namespace detail {

socket_address to_native(const base::endpoint& e) {
  socket_address a;
  if (e.address.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(a.storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    in.sin_addr.s_addr = htonl(e.address.to_v4());
    a.length = sizeof in;
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(a.storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(e.port);
    std::memcpy(in.sin6_addr.s6_addr, e.address.octets().data(), 16);
    in.sin6_scope_id = e.address.scope_id();
    a.length = sizeof in;
  }
  return a;
}

base::endpoint from_native(const sockaddr_storage& s) {
  if (s.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(s);
    return {base::ip_address::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  }
  if (s.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(s);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), in.sin6_addr.s6_addr, 16);
    return {base::ip_address::v6(octets, in.sin6_scope_id), ntohs(in.sin6_port)};
  }
  return {};
}

base::error from_errno(int number) {
  switch (number) {
    case ECONNREFUSED: return {base::errc::refused};
    case ENETUNREACH:
    case EHOSTUNREACH: return {base::errc::unreachable};
    case EADDRINUSE: return {base::errc::in_use};
    case EADDRNOTAVAIL: return {base::errc::not_found};
    case EACCES:
    case EPERM: return {base::errc::permission};
    case ENOENT: return {base::errc::not_found};
    case ETIMEDOUT: return {base::errc::timed_out};
    case EPIPE:
    case ECONNRESET:
    case ECANCELED:
    case EBADF: return {base::errc::closed};
    case EMSGSIZE: return {base::errc::too_large};
    default: return {std::error_code(number, std::generic_category())};
  }
}

}  // namespace detail
}  // namespace strata::net
